import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Command } from "commander";
import { evalCommand } from "../../src/cli/eval.js";
import { type TestService, startService } from "../support/service.js";
import { batchPath, createStore } from "../support/stores.js";
import { anyQuestion, emptyPage, evalAt, questionsFile, refuse, reportOf, startFake } from "./evalSupport.js";
import { run, startRecorder } from "./support.js";
import { testKey } from "../support/settings.js";

let service: TestService;
let store: string;
const file = questionsFile();
beforeAll(async () => {
  service = await startService({ environment: { EMBEDDING__DIMENSIONS: "64" } });
  store = await createStore(service, { name: "s" });
  const embeddings = [
    { id: "c1", content: "how to reset\nyour password", metadata: { lang: "en", filename: "faq.md" } },
    { id: "c2", content: "opening hours of the shop", metadata: { lang: "en", file_id: "file-1" } },
    { id: "c3", content: "Passwort zurücksetzen", metadata: { lang: "de" } },
  ];
  await service.post(batchPath(store), { embeddings }).expect(200);
});
afterAll(async () => {
  file.remove();
  await service.close();
});

const ours = ["--modes", "vector,keyword,hybrid"];
const cli = (path: string, ...args: string[]) =>
  run(["eval", path, "--url", service.url, "--key", testKey, "--store", store, ...args]);

describe("eval", () => {
  test("a table on a terminal; tab-separated and not rounded in a pipe", async () => {
    const path = file.of(anyQuestion, "", { query: "shop", relevant: { "file-1": 2 } }, "  ");
    const args = ["eval", path, "--url", service.url, "--key", testKey, "--store", store, "--modes", "keyword"];
    const { code, out, err } = await run([...args, "--k", "3"], { columns: 80 });
    expect(code).toBe(0);
    expect(out).toMatch(
      /^MODE {5}RECALL@3 {4}MRR {2}NDCG@3 {2}MEDIAN MS {2}QUESTIONS\nkeyword {5}1\.000 {2}1\.000 {3}1\.000 +\d+\.\d {10}2\n$/,
    );
    expect(err).toContain("] 2/2 questions");
    expect(err.endsWith("\r\u001b[2K")).toBe(true);
    const piped = await cli(file.of({ query: "reset", relevant: ["c1", "c2", "c3"] }), "--modes", "keyword");
    expect(piped).toMatchObject({ code: 0, err: "" });
    expect(piped.out).toMatch(/^keyword\t0\.3333333333333333\t1\t0\.46927\d+\t\d+\.\d\t1\n$/);
  });

  test("each mode has its figures, and --json has those of each question", async () => {
    const path = file.of(
      { query: "how to reset your password", relevant: { "faq.md": 1, c3: 2 }, contains: "RESET your  Password" },
      { query: "opening", contains: ["opening hours", "no such phrase"] },
    );
    const { code, out, err } = await cli(path, "--json", ...ours);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const report = reportOf(out);
    expect(report).toMatchObject({ store_id: store, k: 10, question_count: 2 });
    expect(report.modes.map(({ mode }) => mode)).toEqual(["vector", "keyword", "hybrid"]);
    // The vector search finds all three chunks, the keyword search only those with the words.
    expect(report.modes.map(({ recall }) => recall)).toEqual([3 / 4, (2 / 3 + 1 / 2) / 2, 3 / 4]);
    expect(report.modes.map(({ mrr }) => mrr)).toEqual([1, 1, 1]);
    for (const { median_ms: ms } of report.modes) expect(ms).toBeGreaterThan(0);
    expect(report.questions.map(({ line }) => line)).toEqual([1, 2]);
    const keyword = report.questions.map((question) => question.modes.keyword);
    expect(keyword[0]).toEqual({
      recall: 2 / 3,
      reciprocal_rank: 1,
      ndcg: expect.any(Number),
      ms: expect.any(Number),
      places: [
        { relevant: "faq.md", place: 1 },
        { relevant: "c3", place: null },
        { contains: "RESET your  Password", place: 1 },
      ],
    });
    expect(keyword[1]?.places).toEqual([
      { contains: "opening hours", place: 1 },
      { contains: "no such phrase", place: null },
    ]);
  });

  test("filters and --k reach the server", async () => {
    const german = file.of({ query: "password", relevant: ["c1", "c3"], filters: { lang: "de" } });
    const { out } = await cli(german, "--json", "--modes", "vector");
    expect(reportOf(out).questions[0]?.modes.vector?.places.map(({ place }) => place)).toEqual([null, 1]);
    const all = file.of({ query: "opening hours of the shop", relevant: ["c1", "c2", "c3"] });
    expect(reportOf((await cli(all, "--json", "--modes", "vector", "--k", "1")).out).modes[0]?.recall).toBe(1 / 3);
  });

  test("questions from standard input, with a byte order mark and Windows line ends", async () => {
    let out = "";
    const io = {
      stdout: { write: (text: string) => (out += text) },
      stderr: { write: () => 0 },
      environment: () => ({}),
    };
    const program = new Command();
    evalCommand(program, io, async function* () {
      const bytes = Buffer.from(
        `\ufeff${JSON.stringify(anyQuestion)}\r\n\r\n{"query": "Öffnung", "contains": "ü"}\r\n`,
      );
      // Cut in the middle of a character.
      await Promise.resolve(yield* [bytes.subarray(0, -20), bytes.subarray(-20)]);
    });
    const args = ["eval", "-", "--url", service.url, "--key", testKey, "--store", store, "--json", ...ours];
    await program.parseAsync(args, { from: "user" });
    expect(reportOf(out).questions.map(({ line }) => line)).toEqual([1, 3]);
  });

  test("the examples of the help use existing options", async () => {
    const { code, out } = await run(["eval", "--help"]);
    expect(code).toBe(0);
    const [described = "", examples = ""] = out.split(/Examples?:\n/);
    expect(examples).toContain("vector-store eval questions.jsonl --store");
    for (const [option] of examples.matchAll(/(?<= )--[a-z-]+/g)) expect(described).toContain(option);
  });
});

describe("the requests", () => {
  test("one per mode, after a search that has the question embedded and does not count", async () => {
    const other = await startRecorder(emptyPage);
    const question = { query: "q", relevant: ["a"], filters: { lang: "en" }, note: "ignored" };
    try {
      const { code, out } = await evalAt(other.url, file.of(question), "--k", "7");
      expect(code).toBe(0);
      expect(out.split("\n").map((line) => line.split("\t")[0])).toEqual([
        "vector",
        "keyword",
        "hybrid",
        "reranked",
        "",
      ]);
    } finally {
      await other.close();
    }
    const common = { query: "q", max_num_results: 7, filters: { lang: "en" } };
    expect(other.asked).toEqual([
      { query: "q", max_num_results: 1, rerank: false, ranking_options: { search_mode: "vector" } },
      { ...common, rerank: false, ranking_options: { search_mode: "vector" } },
      { ...common, rerank: false, ranking_options: { search_mode: "keyword" } },
      { ...common, rerank: false, ranking_options: { search_mode: "hybrid" } },
      { ...common, rerank: "required" },
    ]);
  });

  test("keyword searches alone embed nothing", async () => {
    const other = await startRecorder(emptyPage);
    try {
      expect((await evalAt(other.url, file.of(anyQuestion), "--modes", "keyword")).code).toBe(0);
    } finally {
      await other.close();
    }
    expect(other.asked).toMatchObject([{ max_num_results: 10, ranking_options: { search_mode: "keyword" } }]);
  });

  test("at most four at once; results after the k-th do not count", async () => {
    let [now, most] = [0, 0];
    const data = ["x", "y", "a"].map((id) => ({
      id,
      file_id: "",
      filename: "",
      content: [{ type: "text", text: "" }],
    }));
    const other = await startFake((_, response) => {
      most = Math.max(most, ++now);
      setTimeout(() => {
        now -= 1;
        response.end(JSON.stringify({ ...emptyPage, data }));
      }, 20);
    });
    try {
      const path = file.of(...Array.from({ length: 12 }, (_, i) => ({ query: `q${i}`, relevant: ["a", "x"] })));
      const { out } = await evalAt(other.url, path, "--json", "--k", "2", ...ours);
      const { modes, question_count: count } = reportOf(out);
      expect(count).toBe(12);
      expect(modes[0]).toMatchObject({ recall: 0.5, mrr: 1 });
      expect(modes[0]?.median_ms).toBeGreaterThanOrEqual(15);
    } finally {
      await other.close();
    }
    expect(most).toBe(4);
  });
});

describe("the mode reranked", () => {
  const message = "There is no rerank model.";
  /** Reranking puts the right result first; without a model it is refused. */
  const startReranker = (model: boolean) =>
    startFake(({ rerank }, response) => {
      if (rerank === "required" && !model) {
        refuse(response, { message, code: "no_rerank_model" });
        return;
      }
      const ids = rerank === "required" ? ["a", "x"] : ["x", "a"];
      const data = ids.map((id) => ({
        id,
        file_id: "",
        filename: "",
        score: 1,
        content: [{ type: "text", text: "t" }],
      }));
      response.end(JSON.stringify({ ...emptyPage, data }));
    });
  const ask = async (model: boolean, ...args: string[]) => {
    const other = await startReranker(model);
    try {
      const path = file.of(...Array.from({ length: 9 }, (_, i) => ({ query: `q${i}`, relevant: ["a"] })));
      return await evalAt(other.url, path, ...args);
    } finally {
      await other.close();
    }
  };

  test("has its own row", async () => {
    const { code, out, err } = await ask(true, "--json");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(reportOf(out).modes.map(({ mode, mrr }) => [mode, mrr])).toEqual([
      ["vector", 0.5],
      ["keyword", 0.5],
      ["hybrid", 0.5],
      ["reranked", 1],
    ]);
  });

  test("without a model it is left out, with one note", async () => {
    const { code, out, err } = await ask(false, "--json");
    expect(code).toBe(0);
    expect(err).toMatch(/^The mode reranked is left out: There is no rerank model\. \(HTTP 400 from [^\n]+\)\n$/);
    const report = reportOf(out);
    expect(report.modes.map(({ mode }) => mode)).toEqual(["vector", "keyword", "hybrid"]);
    for (const { modes } of report.questions) expect(Object.keys(modes)).toEqual(["vector", "keyword", "hybrid"]);
  });

  test("without a model it is an error if named with --modes", async () => {
    const { code, out, err } = await ask(false, "--modes", "vector,reranked");
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toMatch(/^vector-store: There is no rerank model\. \(HTTP 400 from [^\n]+\)\n$/);
  });
});
