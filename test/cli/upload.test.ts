import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestService, startService } from "../support/service.js";
import { createStore } from "../support/stores.js";
import { run, temporaryDirectory } from "./support.js";
import { testKey } from "../support/settings.js";

let service: TestService;
let folder: ReturnType<typeof temporaryDirectory>;
let store: string;

beforeAll(async () => {
  service = await startService();
  folder = temporaryDirectory();
  const write = (name: string, text: string) => {
    writeFileSync(join(folder.path, name), text);
  };
  for (const each of ["deep/er", "node_modules/x"]) mkdirSync(join(folder.path, each), { recursive: true });
  write("a.txt", "alpha");
  write("deep/b.md", "# Beta\n\nbeta");
  write("deep/er/c.txt", "gamma");
  write("deep/.hidden.txt", "hidden");
  write("node_modules/x/index.txt", "dependency");
});
afterAll(async () => {
  folder.remove();
  await service.close();
});
beforeEach(async () => {
  store = await createStore(service);
});

const upload = (...args: string[]) => run(["upload", "--url", service.url, "--key", testKey, store, ...args]);
const names = async () => {
  const answer = await service.get(`/v1/vector_stores/${store}/files?order=asc`).expect(200);
  return (answer.body as { data: { filename: string }[] }).data.map((each) => each.filename).sort();
};

describe("upload", () => {
  test("a folder: all files below it except hidden ones and dependencies; repeated, it sends nothing", async () => {
    expect(await upload(folder.path)).toEqual({ code: 0, out: "3 added, 0 already there, 0 failed\n", err: "" });
    expect(await names()).toEqual(["a.txt", "b.md", "c.txt"]);
    expect(await upload(folder.path)).toEqual({ code: 0, out: "0 added, 3 already there, 0 failed\n", err: "" });
    expect(await names()).toHaveLength(3);
  });

  test("a pattern, with attributes and sizes; a new version replaces the old one", async () => {
    const file = join(folder.path, "deep", "b.md");
    const { code } = await upload(`${folder.path}/**/*.md`, "--attribute", "team=a", "--chunk-size", "100");
    expect(code).toBe(0);
    const list = await service.get(`/v1/vector_stores/${store}/files`);
    expect(list.body).toMatchObject({ data: [{ filename: "b.md", attributes: { team: "a" } }] });
    writeFileSync(file, "# Beta\n\nnew");
    expect((await upload(file, "--replace")).out).toBe("1 added, 0 already there, 0 failed\n");
    expect(await names()).toEqual(["b.md"]);
  });

  test("a file that cannot be read is listed with the reason, and the others are added", async () => {
    const bad = join(folder.path, "bad.pdf");
    writeFileSync(bad, "no PDF");
    const { code, out, err } = await upload(bad, join(folder.path, "a.txt"), "--parallel", "1");
    expect({ code, out }).toEqual({ code: 1, out: "1 added, 0 already there, 1 failed\n" });
    expect(err).toMatch(/bad\.pdf: .*PDF.*\n.*1 of 2 files could not be added/s);
    expect(err.match(/bad\.pdf/g)).toHaveLength(1);
  });

  test("--json says what became of each file, in the order given", async () => {
    const [bad, good] = [join(folder.path, "bad.pdf"), join(folder.path, "a.txt")];
    writeFileSync(bad, "no PDF");
    const first = await upload(bad, good, "--json");
    expect(first.code).toBe(1);
    expect(JSON.parse(first.out)).toEqual({
      added: 1,
      skipped: 0,
      failed: 1,
      data: [
        { path: bad, status: "failed", error: expect.stringContaining("PDF") },
        { path: good, status: "added", file: expect.objectContaining({ filename: "a.txt", status: "completed" }) },
      ],
    });
    const again = await upload(good, "--json");
    expect(JSON.parse(again.out)).toMatchObject({ skipped: 1, data: [{ path: good, status: "skipped" }] });
    expect(again.err).toBe("");
  });

  test("an error names the command's own option", async () => {
    const { err } = await upload(join(folder.path, "a.txt"), "--chunk-size", "100", "--chunk-overlap", "90");
    expect(err).toContain("a.txt: --chunk-overlap: at most half of");
    expect(err).not.toContain("chunk_overlap:");
  });

  test.each([
    [["nowhere.txt"], /no file or folder nowhere\.txt/],
    [["*.nothing-has-this"], /No files found/],
  ])("%j is refused", async (paths, message) => {
    const { code, err } = await upload(...paths);
    expect(code).toBe(1);
    expect(err).toMatch(message);
  });
});
