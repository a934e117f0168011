import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type TestService, startService } from "../support/service.js";
import { run, startRecorder } from "./support.js";
import { postText } from "../support/stores.js";
import { testKey } from "../support/settings.js";

let service: TestService;
let id: string;
beforeAll(async () => {
  service = await startService({ environment: { EMBEDDING__DIMENSIONS: "64" } });
  id = ((await service.post("/v1/vector_stores", { name: "s" })).body as { id: string }).id;
  const embeddings = [
    { content: "how to reset\nyour password", metadata: { lang: "en", year: 2024, filename: "faq.md" } },
    { content: "opening hours of the shop", metadata: { lang: "en", year: 2025 } },
    { content: "Passwort zurücksetzen", metadata: { lang: "de", year: 2025 } },
  ];
  await service.post(`/v1/vector_stores/${id}/embeddings/batch`, { embeddings }).expect(200);
});
afterAll(() => service.close());

const cli = (args: string[], columns?: number) =>
  run(["search", "--url", service.url, "--key", testKey, ...args], columns === undefined ? {} : { columns });
const texts = (out: string) =>
  (JSON.parse(out) as { data: { content: { text: string }[] }[] }).data.map((each) => each.content[0]?.text);

describe("search", () => {
  test("takes the rest of the line as the query and prints the best first, tab-separated in a pipe", async () => {
    const { code, out, err } = await cli([id, "how", "to", "reset", "your", "password"]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const lines = out
      .trimEnd()
      .split("\n")
      .map((line) => line.split("\t"));
    expect(lines).toHaveLength(3);
    expect(lines[0]).toEqual(["1.0000", "faq.md", "how to reset your password"]);
    // Without a file name, the source is the chunk's id.
    expect(lines[1]?.[1]).toMatch(/^emb_[0-9a-f]{32}$/);
  });

  test("on a terminal, the text is cut to the line", async () => {
    const { out } = await cli([id, "password", "--limit", "1"], 40);
    expect(out).toMatch(/^ SCORE {2}SOURCE {2}TEXT\n\d\.\d{4} {2}faq\.md {2}how to reset your passw…\n$/);
  });

  test("--json prints the API's answer", async () => {
    const { out } = await cli([id, "opening hours", "--json"]);
    const api = await service.post(`/v1/vector_stores/${id}/search`, { query: "opening hours", max_num_results: 10 });
    expect(JSON.parse(out)).toEqual(api.body);
    expect(texts(out)[0]).toBe("opening hours of the shop");
  });

  test("numbers of filters and answers keep their digits", async () => {
    const store = ((await service.post("/v1/vector_stores", { name: "n" })).body as { id: string }).id;
    for (const n of ["9007199254740992", "9007199254740993"]) {
      const row = `{"content": "${n}", "metadata": {"n": ${n}}}`;
      await postText(service, `/v1/vector_stores/${store}/embeddings`, row);
      const { out } = await cli([store, "x", "--json", "--filter", `{"n": ${n}}`]);
      expect(texts(out)).toEqual([n]);
      expect(out).toContain(`"n": ${n}`);
    }
  });

  test("--limit, --filter in both dialects and --threshold reach the server", async () => {
    expect(texts((await cli([id, "password", "--limit", "2", "--json"])).out)).toHaveLength(2);
    const german = await cli([id, "password", "--json", "--filter", '{"lang": "de"}']);
    expect(texts(german.out)).toEqual(["Passwort zurücksetzen"]);
    const since =
      '{"type": "and", "filters": [{"type": "gte", "key": "year", "value": 2025}, {"type": "eq", "key": "lang", "value": "en"}]}';
    expect(texts((await cli([id, "password", "--json", "--filter", since])).out)).toEqual([
      "opening hours of the shop",
    ]);
    const near = await cli([id, "how to reset your password", "--threshold", "0.99", "--json"]);
    expect(texts(near.out)).toEqual(["how to reset\nyour password"]);
  });

  test("--mode, --recall and --rerank reach the server", async () => {
    const words = await cli([id, "opening", "--mode", "keyword", "--json"]);
    expect(words).toMatchObject({ code: 0, err: "" });
    // A vector search would also list the other chunks, which lack the word.
    expect(texts(words.out)).toEqual(["opening hours of the shop"]);
    const other = await startRecorder({ object: "vector_store.search_results.page", data: [] });
    const ask = (...args: string[]) => run(["search", "--url", other.url, "--key", "k", "vs_1", "q", ...args]);
    try {
      await ask();
      await ask("--mode", "hybrid", "--recall", "exact", "--threshold", "0.5");
      await ask("--recall", "fast");
      await ask("--rerank");
      await ask("--rerank", "cohere");
    } finally {
      await other.close();
    }
    const common = { query: "q", max_num_results: 10 };
    expect(other.asked).toEqual([
      common,
      { ...common, ranking_options: { score_threshold: 0.5, search_mode: "hybrid", recall: "exact" } },
      { ...common, ranking_options: { recall: "fast" } },
      { ...common, ranking_options: { rerank: "required" } },
      { ...common, ranking_options: { rerank: "required", rerank_model: "cohere" } },
    ]);
  });

  test("finding nothing is not a failure, and standard output stays empty", async () => {
    expect(await cli([id, "password", "--filter", '{"lang": "fr"}'])).toEqual({
      code: 0,
      out: "",
      err: "Nothing found.\n",
    });
  });

  test('query words that begin with a dash come after "--"', async () => {
    expect(texts((await cli([id, "--json", "--", "--limit", "hours"])).out)).toHaveLength(3);
  });

  test.each([
    [["--filter", "{lang: en}"], "It is not valid JSON"],
    [["--filter", "[1]"], "It must be a JSON object"],
    [["--filter", '{"type": "near", "key": "a", "value": 1}'], "--filter: filters.type: expected one of eq"],
    [["--threshold", "2"], "It must be a number from 0 to 1"],
    [["--threshold", "high"], "It must be a number from 0 to 1"],
    [["--mode", "words"], "Allowed choices are vector, keyword, hybrid"],
    [["--recall", "all"], "Allowed choices are exact, high, fast"],
    [["--limit", "51"], "vector-store: --limit: must be at most 50 ("],
  ])("%j is refused: %s", async (args, sentence) => {
    const { code, out, err } = await cli([id, "query", ...args]);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain(sentence);
  });

  test("a missing store", async () => {
    const { code, err } = await cli(["vs_00000000000000000000000000000000", "q"]);
    expect(code).toBe(1);
    expect(err).toContain("No vector store found with id 'vs_00000000000000000000000000000000'");
  });
});
