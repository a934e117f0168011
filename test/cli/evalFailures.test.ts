import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { spawn } from "node:child_process";
import { join, resolve } from "node:path";
import { type TestService, startService } from "../support/service.js";
import { createStore } from "../support/stores.js";
import { anyQuestion, emptyPage, evalAt, questionsFile, refuse, startFake } from "./evalSupport.js";
import { run } from "./support.js";
import { testKey } from "../support/settings.js";

let service: TestService;
let store: string;
const file = questionsFile();
beforeAll(async () => {
  service = await startService();
  store = await createStore(service);
});
afterAll(async () => {
  file.remove();
  await service.close();
});

const cli = (path: string, ...args: string[]) =>
  run(["eval", path, "--url", service.url, "--key", testKey, "--store", store, ...args]);

describe("an eval that fails", () => {
  test.each([
    [["--k", "0"], "It must be a whole number, at least 1"],
    [["--k", "51"], "It must be a whole number from 1 to 50"],
    [["--modes", "vector,words"], "It must be some of vector, keyword, hybrid, reranked"],
    [["--modes", ""], "It must be some of"],
    [["--store", ""], "The vector store's id is missing"],
  ])("%j is refused: %s", async (args, sentence) => {
    const { code, out, err } = await cli(file.of(anyQuestion), ...args);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain(sentence);
  });

  test("without a store", async () => {
    const { code, err } = await run(["eval", "questions.jsonl"]);
    expect(code).toBe(1);
    expect(err).toContain("required option '--store <id>' not specified");
  });

  test("a missing store", async () => {
    const { code, out, err } = await cli(file.of(anyQuestion), "--store", "vs_00000000000000000000000000000000");
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toMatch(/^vector-store: No vector store found with id .* vector-store stores list\n$/);
  });

  test("a filter that the server refuses is named with its line", async () => {
    const { code, out, err } = await cli(
      file.of(anyQuestion, { ...anyQuestion, filters: { type: "near", key: "a", value: 1 } }),
    );
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toMatch(/questions\.jsonl, line 2: filters\.type: expected one of eq/);
  });

  test.each(["{}", '{"object":"list","data":[]}', '{"object":"vector_store.search_results.page","data":[{}]}'])(
    "an answer of %s is refused",
    async (answer) => {
      const other = await startFake((_, response) => response.end(answer));
      try {
        const { code, out, err } = await evalAt(other.url, file.of(anyQuestion));
        expect({ code, out }).toEqual({ code: 1, out: "" });
        expect(err).toContain("without search results");
      } finally {
        await other.close();
      }
    },
  );

  test("a search that fails ends the others", async () => {
    let closed = 0;
    const other = await startFake(({ query }, response) => {
      response.once("close", () => (closed += response.writableEnded ? 0 : 1));
      // The others are never answered.
      if (query === "bad") setTimeout(refuse, 100, response, { message: "no", code: "bad" });
    });
    try {
      const path = file.of(...["q1", "bad", "q2", "q3", "q4"].map((query) => ({ query, relevant: ["a"] })));
      const { code, out, err } = await evalAt(other.url, path);
      expect({ code, out }).toEqual({ code: 1, out: "" });
      expect(err).toMatch(/^vector-store: no \(HTTP 400 from [^\n]+\)\n$/);
      for (let waited = 0; closed < 3 && waited < 5000; waited += 20) await new Promise((next) => setTimeout(next, 20));
      expect(closed).toBe(3);
    } finally {
      await other.close();
    }
  });
});

describe("as a separate process", () => {
  const root = resolve(import.meta.dirname, "../..");
  function start(url: string) {
    const args = ["eval", "-", "--url", url, "--key", "k", "--store", "vs_1"];
    const command = ["--import", "tsx", join(root, "src/cli/main.ts"), ...args];
    // Without the tests' settings, which silence Node's warnings.
    const child = spawn(process.execPath, command, { cwd: root, stdio: "pipe", env: { PATH: process.env.PATH } });
    let [out, err] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
    const ended = new Promise((done) =>
      child.once("close", (code, signal) => {
        done({ code, signal, out, err });
      }),
    );
    return { child, ended };
  }

  test("many searches cause no warning of Node's", async () => {
    const other = await startFake((_, response) => response.end(JSON.stringify(emptyPage)));
    const { child, ended } = start(other.url);
    child.stdin.end(`${JSON.stringify(anyQuestion)}\n`.repeat(20));
    try {
      const out: unknown = expect.stringMatching(/^(\w+\t0\t0\t0\t[\d.]+\t20\n){4}$/);
      expect(await ended).toEqual({ code: 0, signal: null, out, err: "" });
    } finally {
      child.kill("SIGKILL");
      await other.close();
    }
  });

  test("Ctrl-C ends it at once and prints no partial result", async () => {
    let interrupt: () => void = () => undefined;
    const other = await startFake(() => {
      interrupt();
    });
    const { child, ended } = start(other.url);
    interrupt = () => child.kill("SIGINT");
    child.stdin.end(`${JSON.stringify(anyQuestion)}\n`);
    try {
      expect(await ended).toEqual({ code: null, signal: "SIGINT", out: "", err: "" });
    } finally {
      child.kill("SIGKILL");
      await other.close();
    }
  });
});
