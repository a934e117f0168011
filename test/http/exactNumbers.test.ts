import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { campaign } from "../support/campaign.js";
import { type TestService, startService } from "../support/service.js";
import { testKey } from "../support/settings.js";
import { type RawAnswer, batchPath, createStore, errorOf, postText, rowsPath, searchPath } from "../support/stores.js";

/* Requests and answers are texts here: JavaScript's JSON.parse would round both alike, and see no difference. */

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

const ok = async (answer: Promise<RawAnswer>): Promise<string> => {
  const { status, text } = await answer;
  expect({ status, text }).toMatchObject({ status: 200 });
  return text;
};

async function send(method: "GET" | "DELETE", path: string, body?: string): Promise<RawAnswer> {
  const headers = { authorization: `Bearer ${testKey}`, "content-type": "application/json" };
  const answer = await fetch(service.url + path, { method, headers, ...(body !== undefined && { body }) });
  const text = await answer.text();
  return { status: answer.status, text, body: JSON.parse(text) };
}

const listed = (storeId: string, filters: string) =>
  ok(send("GET", `${rowsPath(storeId)}?filters=${encodeURIComponent(filters)}`));
const searched = (storeId: string, filters: string) =>
  ok(postText(service, searchPath(storeId), `{"query": "row", "max_num_results": 50, "filters": ${filters}}`));
const idsIn = (text: string) => (JSON.parse(text) as { data: { id: string }[] }).data.map(({ id }) => id).sort();

let runs = 0;
/** A store with a row for each JSON text, as the value of its key `n`, sent in one of three ways. */
async function storeOf(numbers: readonly string[], way: "batch" | "single" | "stream" = "batch") {
  const storeId = await createStore(service);
  runs += 1;
  const ids = numbers.map((_, i) => `r${runs}-${i}`);
  const rows = numbers.map((n, i) => `{"id": "${ids[i] ?? ""}", "content": "row ${i}", "metadata": {"n": ${n}}}`);
  if (way === "batch") await ok(postText(service, batchPath(storeId), `{"embeddings": [${rows.join(",")}]}`));
  if (way === "stream") await ok(postText(service, batchPath(storeId), rows.join("\n"), "application/x-ndjson"));
  if (way === "single") for (const row of rows) await ok(postText(service, rowsPath(storeId), row));
  return { storeId, ids };
}

const neighbours = ["9007199254740992", "9007199254740993", "9007199254740994"];

describe("whole numbers beyond 2^53", () => {
  test.each(["batch", "single", "stream"] as const)("are told apart when rows come as %s", async (way) => {
    const { storeId, ids } = await storeOf(neighbours, way);
    for (const [i, n] of neighbours.entries()) {
      for (const filters of [`{"n": ${n}}`, `{"type": "in", "key": "n", "value": [${n}]}`]) {
        const found = await searched(storeId, filters);
        expect(idsIn(found)).toEqual([ids[i]]);
        expect(found).toContain(`"attributes":{"n":${n}}`);
        expect(found).toContain(`"metadata":{"n":${n}}`);
        const list = await listed(storeId, filters);
        expect(idsIn(list)).toEqual([ids[i]]);
        expect(list).toContain(`"metadata":{"n":${n}}`);
      }
    }
  });

  test("are told apart by both ways to delete", async () => {
    const { storeId, ids } = await storeOf(neighbours);
    const inBody = await ok(send("DELETE", rowsPath(storeId), `{"filters": {"n": ${neighbours[1] ?? ""}}}`));
    expect(JSON.parse(inBody)).toMatchObject({ deleted: 1 });
    const query = encodeURIComponent(`{"type": "eq", "key": "n", "value": ${neighbours[2] ?? ""}}`);
    const inQuery = await ok(send("DELETE", `${rowsPath(storeId)}?filters=${query}`));
    expect(JSON.parse(inQuery)).toMatchObject({ deleted: 1 });
    expect(idsIn(await ok(send("GET", rowsPath(storeId))))).toEqual([ids[0]]);
  });

  test("the answer to an insertion has them; the same row again is a duplicate, its neighbour a conflict", async () => {
    const storeId = await createStore(service);
    const row = (n: string) => `{"id": "same-${storeId}", "content": "x", "metadata": {"deep": [{"n": ${n}}]}}`;
    const first = await ok(postText(service, rowsPath(storeId), row("9007199254740993")));
    expect(first).toContain('"metadata":{"deep":[{"n":9007199254740993}]}');
    await ok(postText(service, rowsPath(storeId), row("9007199254740993")));
    expect((await postText(service, rowsPath(storeId), row("9007199254740992"))).status).toBe(409);
  });

  test("of rows written by SQL are found by their exact value", async () => {
    const { storeId, ids } = await storeOf(["0", "0", "0"]);
    const written = ["1803456789012345678", "1803456789012345679", "0.1234567890123456789"];
    for (const [i, n] of written.entries()) {
      await service.database.query(
        "UPDATE embeddings SET metadata = jsonb_build_object('n', $1::numeric) WHERE id = $2",
        [n, ids[i]],
      );
    }
    for (const [i, n] of written.entries()) {
      const found = await searched(storeId, `{"n": ${n}}`);
      expect(idsIn(found)).toEqual([ids[i]]);
      expect(found).toContain(`"n":${n}`);
    }
  });

  test("in the metadata of a store, and in the attributes of files and their chunks", async () => {
    const store = await ok(postText(service, "/v1/vector_stores", '{"metadata": {"n": 9007199254740993}}'));
    expect(store).toContain('"metadata":{"n":9007199254740993}');
    const { id } = JSON.parse(store) as { id: string };
    const path = `/v1/vector_stores/${id}`;
    expect(await ok(send("GET", path))).toContain('"metadata":{"n":9007199254740993}');
    expect(await ok(postText(service, path, '{"metadata": {"n": -9007199254740995}}'))).toContain(
      '"n":-9007199254740995',
    );
    const body = '{"texts": ["one", "two"], "metadatas": [{"n": 9007199254740992}, {"n": 9007199254740993}]}';
    const texts = await ok(postText(service, `${path}/files`, body));
    for (const n of ["9007199254740992", "9007199254740993"]) expect(texts).toContain(`"attributes":{"n":${n}}`);
    const [, second = ""] = (JSON.parse(texts) as { data: { id: string }[] }).data.map((file) => file.id);
    const found = await searched(id, '{"n": 9007199254740993}');
    expect(JSON.parse(found)).toMatchObject({ data: [{ content: [{ text: "two" }] }] });
    expect(found).toContain('"attributes":{"n":9007199254740993}');
    const changed = await ok(postText(service, `${path}/files/${second}`, '{"attributes": {"n": 9007199254740997}}'));
    expect(changed).toContain('"attributes":{"n":9007199254740997}');
    expect(await searched(id, '{"n": 9007199254740997}')).toContain('"attributes":{"n":9007199254740997}');
    expect(await ok(send("GET", `${path}/files`))).toContain('"attributes":{"n":9007199254740997}');
  });

  test("in the attributes of an upload", async () => {
    const id = await createStore(service);
    const form = new FormData();
    form.append("attributes", '{"n": 9007199254740993, "d": 0.10000000000000000001}');
    form.append("file", new Blob(["some words"]), "a.txt");
    const headers = { authorization: `Bearer ${testKey}` };
    const answer = await fetch(`${service.url}/v1/vector_stores/${id}/upload`, { method: "POST", headers, body: form });
    expect(await answer.text()).toContain('"attributes":{"d":0.10000000000000000001,"n":9007199254740993}');
    expect(idsIn(await searched(id, '{"n": 9007199254740992}'))).toEqual([]);
    expect(idsIn(await searched(id, '{"n": 9007199254740993, "d": 0.10000000000000000001}'))).toHaveLength(1);
  });

  test("any set of neighbours, by any comparison, as by BigInt", async () => {
    const far = fc.bigInt({ min: -(2n ** 120n), max: 2n ** 120n });
    const near = fc.tuple(far, fc.array(fc.bigInt({ min: -2n, max: 2n }), { minLength: 2, maxLength: 6 }));
    const scenario = fc.record({
      numbers: near.map(([middle, steps]) => [...new Set(steps.map((step) => middle + step))]),
      way: fc.constantFrom("batch" as const, "stream" as const),
      pick: fc.nat(),
    });
    await fc.assert(
      fc.asyncProperty(scenario, async ({ numbers, way, pick }) => {
        const { storeId, ids } = await storeOf(numbers.map(String), way);
        const value = numbers[pick % numbers.length] ?? 0n;
        const holds: Record<string, (n: bigint) => boolean> = {
          eq: (n) => n === value,
          ne: (n) => n !== value,
          gt: (n) => n > value,
          gte: (n) => n >= value,
          lt: (n) => n < value,
          lte: (n) => n <= value,
        };
        for (const [type, passes] of Object.entries(holds)) {
          const filters = `{"type": "${type}", "key": "n", "value": ${value}}`;
          const expected = ids.filter((_, i) => passes(numbers[i] ?? 0n)).sort();
          const found = await searched(storeId, filters);
          expect([type, idsIn(found)]).toEqual([type, expected]);
          for (const n of numbers.filter(passes)) expect(found).toContain(`"metadata":{"n":${n}}`);
          expect([type, idsIn(await listed(storeId, filters))]).toEqual([type, expected]);
        }
      }),
      campaign(100),
    );
  });
});

describe("numbers that are not whole", () => {
  test("keep every digit, and are compared with all of them", async () => {
    const numbers = ["0.1", "0.10000000000000001", "12345678901234567890.125", "1.10", "1e23", "5e-324"];
    const { storeId, ids } = await storeOf(numbers);
    for (const [i, n] of numbers.entries()) expect(idsIn(await searched(storeId, `{"n": ${n}}`))).toEqual([ids[i]]);
    expect(await searched(storeId, '{"n": 12345678901234567890.125}')).toContain('{"n":12345678901234567890.125}');
  });

  const long = `1.${"3".repeat(1000)}`;
  test.each([
    ["1e400", "a number outside the range of a double (±1.8e308)"],
    [`-1${"0".repeat(309)}`, "a number outside the range of a double (±1.8e308)"],
    ["1e-400", "a number closer to 0 than a double can be (5e-324)"],
    [long, "a number of more than 1000 characters"],
  ])("%.20s cannot be stored or compared: 400 names the field", async (n, problem) => {
    const { storeId } = await storeOf(["1"]);
    const refused = async (answer: Promise<RawAnswer>, param: string) => {
      const { status, body } = await answer;
      expect({ status, ...errorOf({ body }) }).toMatchObject({ status: 400, param });
      expect(errorOf({ body }).message).toContain(problem);
    };
    const row = `{"content": "x", "metadata": {"deep": [${n}]}}`;
    const store = `/v1/vector_stores/${storeId}`;
    await refused(postText(service, rowsPath(storeId), row), "metadata");
    await refused(postText(service, batchPath(storeId), `{"embeddings": [${row}]}`), "embeddings[0].metadata");
    await refused(postText(service, batchPath(storeId), row, "application/x-ndjson"), "line 1.metadata");
    await refused(postText(service, store, `{"metadata": {"n": ${n}}}`), "metadata.n");
    await refused(
      postText(service, `${store}/files`, `{"texts": ["x"], "metadatas": [{"n": ${n}}]}`),
      "metadatas[0].n",
    );
    await refused(postText(service, searchPath(storeId), `{"query": "x", "filters": {"n": ${n}}}`), "filters.n");
    const filters = `{"type": "in", "key": "n", "value": [1, ${n}]}`;
    await refused(send("GET", `${rowsPath(storeId)}?filters=${encodeURIComponent(filters)}`), "filters.value[1]");
  });
});

describe("fields that must be numbers are doubles", () => {
  test("more digits than a double has are rounded there, and limits are named as ever", async () => {
    const { storeId } = await storeOf(["1"]);
    const options = '"ranking_options": {"score_threshold": 0.10000000000000000001}';
    await ok(postText(service, searchPath(storeId), `{"query": "row", ${options}}`));
    const many = await postText(
      service,
      searchPath(storeId),
      '{"query": "row", "max_num_results": 51.00000000000000000001}',
    );
    expect(errorOf(many)).toMatchObject({ param: "max_num_results", message: expect.stringContaining("at most 50") });
    const digits = "0.12345678901234567890123";
    const vector = `[${Array(service.config.embedding.dimensions).fill(digits).join(", ")}]`;
    for (const body of [`{"content": "v", "embedding": ${vector}}`, `{"embedding": ${vector}, "content": "\\u0076"}`]) {
      await ok(postText(service, rowsPath(storeId), body));
    }
  });

  test("a number is no document and no object", async () => {
    const { storeId } = await storeOf(["1"]);
    const big = "12345678901234567890";
    const documents = await postText(service, "/v1/rerank", `{"query": "x", "documents": [${big}]}`);
    expect(errorOf(documents)).toMatchObject({ param: "documents[0]" });
    const metadata = await postText(service, rowsPath(storeId), `{"content": "x", "metadata": ${big}}`);
    expect(errorOf(metadata)).toMatchObject({ param: "metadata" });
    const filters = await postText(service, searchPath(storeId), `{"query": "x", "filters": ${big}}`);
    expect(errorOf(filters)).toMatchObject({ param: "filters" });
    const body = await postText(service, rowsPath(storeId), big);
    expect(body.status).toBe(400);
  });
});
