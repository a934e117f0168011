import { describe, expect, test } from "@jest/globals";
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { modulesOf, testProjects } from "./support/projects.js";

const projects = testProjects();
/** Names that open the suite's database, or tell which one it is. */
const opens = /\b(createTestDatabase|createServerData|createPlace|startService|testServer|onServer)\b/;
const read = (file: string) => readFileSync(file, "utf8");

describe("the projects of jest.config.js", () => {
  test("every test file is in one project", () => {
    const files = readdirSync("test", { recursive: true, encoding: "utf8" }).filter((file) =>
      file.endsWith(".test.ts"),
    );
    expect(Object.values(projects).flat().sort()).toEqual(files.map((file) => join("test", file)).sort());
  });

  // Otherwise it gets a database and a second run on PostgreSQL for nothing. To fix this, import less.
  test("every suite of the project service opens the suite's database", () => {
    const helpers = (file: string) => modulesOf(file).filter((each) => dirname(each) === dirname(file));
    const without = projects.service.filter((file) => ![file, ...helpers(file)].some((each) => opens.test(read(each))));
    expect(without).toEqual([]);
  });

  test("no suite of the project pure mentions it", () => {
    const names = /TEST_(DATABASE_URL|PGLITE_DUMP)/;
    expect(projects.pure.filter((file) => [file, ...modulesOf(file)].some((each) => names.test(read(each))))).toEqual(
      [],
    );
  });
});
