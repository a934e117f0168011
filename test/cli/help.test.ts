import { describe, expect, test } from "@jest/globals";
import { readFileSync } from "node:fs";
import { run } from "./support.js";

const commands = [
  ["serve"],
  ["worker"],
  ["migrate"],
  ["stores", "list"],
  ["stores", "create"],
  ["stores", "delete"],
  ["search"],
  ["upload"],
  ["eval"],
  ["reindex"],
  ["import"],
  ["export"],
  ["litellm-config"],
  ["doctor"],
];

describe("the help", () => {
  test("--help names every command and the settings for the server's address", async () => {
    const { code, out, err } = await run(["--help"]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    for (const [first = ""] of commands) expect(out).toMatch(new RegExp(`^  ${first}\\b`, "m"));
    for (const name of ["VECTOR_STORE_URL", "VECTOR_STORE_KEY", "DATABASE_URL", "DATA_DIR"])
      expect(out).toContain(name);
  });

  test.each(commands)("%s %s has an example", async (...words) => {
    const names = words.filter((each) => typeof each === "string");
    const { code, out } = await run([...names, "--help"]);
    expect(code).toBe(0);
    expect(out).toMatch(new RegExp(`Examples?:\\n(.*\\n)*  \\$ .*vector-store ${names.join(" ")}\\b`));
  });

  test("every option of an example exists", async () => {
    for (const names of commands) {
      const { out } = await run([...names, "--help"]);
      const [described = "", examples = ""] = out.split(/Examples?:\n/);
      for (const [option] of examples.matchAll(/(?<= )--[a-z-]+/g)) {
        if (option !== "--") expect(described).toContain(option);
      }
    }
  });

  test("--version is the package's", async () => {
    const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
      version: string;
    };
    expect(await run(["--version"])).toEqual({ code: 0, out: `${version}\n`, err: "" });
  });

  test("it works even with an invalid environment", async () => {
    let out = "";
    const { runCli } = await import("../../src/cli/program.js");
    const code = await runCli(["stores", "list", "--help"], {
      stdout: { write: (text) => (out += text) },
      stderr: { write: () => 0 },
      environment: () => {
        throw new Error("no .env");
      },
    });
    expect(code).toBe(0);
    expect(out).toContain("--limit");
  });
});

describe("a wrong command line", () => {
  test.each([
    [["sevre"], "unknown command 'sevre'"],
    [["stores", "lst"], "unknown command 'lst'"],
    [["stores", "list", "--jsno"], "unknown option '--jsno'"],
    [["search", "vs_1"], "missing required argument 'query'"],
    [["stores", "delete", "a", "b"], "too many arguments"],
  ])("%j: %s, with a pointer to the help, exit code 1", async (args, sentence) => {
    const { code, out, err } = await run(args);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toMatch(/^vector-store: /);
    expect(err).toContain(sentence);
    expect(err).toContain("--help");
  });

  test.each([[[]], [["stores"]]])("%j alone shows the help on standard error, exit code 1", async (args) => {
    const { code, out, err } = await run(args);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain("Commands:");
  });
});
