import { gzipSync } from "node:zlib";
import { testDimensions } from "../support/settings.js";
import { testVector } from "../support/vectors.js";
import { type BadRequest, deep, half, halfMessage, megabytes, nul, nulMessage, numbered } from "./badRequests.js";

const rowPath = "/v1/vector_stores/{store}/embeddings";
const vector = testVector(7, testDimensions);
const base64 = (bytes: number, value = 1) =>
  Buffer.from(new Float32Array(Math.ceil(bytes / 4)).fill(value).buffer)
    .subarray(0, bytes)
    .toString("base64");

export type Wrong = [name: string, body: object | string, param: string | null, message: RegExp, status?: number];
export const at =
  (where: string, path: string, method = "POST") =>
  ([name, body, param, message, status]: Wrong): BadRequest => ({
    name: `${where}: ${name}`,
    method,
    path,
    body,
    param,
    message,
    ...(status && { status }),
  });

export const rows: BadRequest[] = (
  [
    ["no content", { embedding: vector }, "content", /^content: is required: expected string$/],
    ["content is a number", { content: 5 }, "content", /expected string/],
    ["content empty", { content: "" }, "content", /must not be empty/],
    ["content blank", { content: " \n\t" }, "content", /must not be empty/],
    ["NUL in content", `{"content":"a${nul}b"}`, "content", nulMessage],
    ["half a character in content", `{"content":"a${half}"}`, "content", halfMessage],
    ["metadata is an array", { content: "x", metadata: [] }, "metadata", /expected an object/],
    ["33 levels of metadata", `{"content":"x","metadata":{"k":${deep(32)}}}`, "metadata", /more than 32 levels/],
    ["10,000 levels of metadata", `{"content":"x","metadata":{"k":${deep(10_000)}}}`, "metadata", /more than 100/],
    ["NUL deep in metadata", `{"content":"x","metadata":{"a":[{"b":"${nul}"}]}}`, "metadata.a[0].b", nulMessage],
    ["NUL in a key deep in metadata", `{"content":"x","metadata":{"a":[{"${nul}":1}]}}`, "metadata.a[0]", /a key/],
    ["half deep in metadata", `{"content":"x","metadata":{"a":{"b":["${half}"]}}}`, "metadata.a.b[0]", halfMessage],
    ["half in a metadata key", `{"content":"x","metadata":{"${half}":1}}`, "metadata", halfMessage],
    ["metadata number beyond a double", '{"content":"x","metadata":{"a":[1e400]}}', "metadata", /range of a double/],
    ["id empty", { content: "x", id: "" }, "id", /must not be empty/],
    ["id of 257 characters", { content: "x", id: "i".repeat(257) }, "id", /at most 256 characters/],
    ["id is a number", { content: "x", id: 5 }, "id", /expected string/],
    ["NUL in id", `{"content":"x","id":"${nul}"}`, "id", nulMessage],
    ["half a character in id", `{"content":"x","id":"${half}"}`, "id", halfMessage],
    ["one number short", { content: "x", embedding: vector.slice(1) }, "embedding", /expected 8 numbers, got 7/],
    ["one number more", { content: "x", embedding: [...vector, 1] }, "embedding", /expected 8 numbers, got 9/],
    ["no numbers", { content: "x", embedding: [] }, "embedding", /must not be empty/],
    ["a number as text", { content: "x", embedding: [...vector.slice(1), "1"] }, "embedding[7]", /received string/],
    ["null for a number", { content: "x", embedding: [null, ...vector] }, "embedding[0]", /received null/],
    ["a list for a number", { content: "x", embedding: [[1], ...vector] }, "embedding[0]", /received object/],
    ["an object", { content: "x", embedding: { 0: 1 } }, "embedding", /array of numbers, or base64/],
    ["a boolean", { content: "x", embedding: true }, "embedding", /array of numbers, or base64/],
    ["zeros", { content: "x", embedding: Array(8).fill(0) }, "embedding", /all numbers are zero/],
    ["too small for float32, so zeros", { content: "x", embedding: Array(8).fill(1e-60) }, "embedding", /zero/],
    ["beyond float32", { content: "x", embedding: [...vector.slice(1), 1e39] }, "embedding[7]", /float32/],
    ["beyond a double", '{"content":"x","embedding":[1e400,1,1,1,1,1,1,1]}', "embedding[0]", /finite number/],
    ["NaN", '{"content":"x, NaN, y","embedding":[1,NaN,1,1,1,1,1,1]}', "embedding[1]", /NaN and Infinity/],
    ["-Infinity", '{"content":"x","embedding":[1,1,-Infinity,1,1,1,1,1]}', "embedding[2]", /NaN and Infinity/],
    ["no base64", { content: "x", embedding: "not base64!" }, "embedding", /not valid base64/],
    ["empty base64", { content: "x", embedding: "" }, "embedding", /not valid base64/],
    ["31 bytes of base64", { content: "x", embedding: base64(31) }, "embedding", /multiple of 4 bytes\), got 31/],
    ["base64 of 9 numbers", { content: "x", embedding: base64(36) }, "embedding", /expected 8 numbers, got 9/],
    ["base64 of NaN", { content: "x", embedding: base64(32, Number.NaN) }, "embedding[0]", /finite number/],
    ["base64 of zeros", { content: "x", embedding: base64(32, 0) }, "embedding", /all numbers are zero/],
    ["an id with other content", { id: "first", content: "other", embedding: vector }, "id", /exists already/, 409],
  ] satisfies Wrong[]
).map(at("row", rowPath));

const good = { content: "x", embedding: vector };
export const batches: BadRequest[] = (
  [
    ["no rows", {}, "embeddings", /^embeddings: is required: expected array$/],
    ["an object", { embeddings: { 0: good } }, "embeddings", /expected array/],
    ["empty", { embeddings: [] }, "embeddings", /must not be empty/],
    ["a row that is a string", { embeddings: [good, "x"] }, "embeddings[1]", /expected object, received string/],
    [
      "row 17 short",
      { embeddings: [...Array<object>(17).fill(good), { ...good, embedding: vector.slice(1) }] },
      "embeddings[17].embedding",
      /^embeddings\[17\]\.embedding: expected 8 numbers, got 7$/,
    ],
    [
      "the last of 3 empty",
      { embeddings: [good, good, { content: "" }] },
      "embeddings[2].content",
      /must not be empty/,
    ],
    [
      "NaN in row 1",
      '{"embeddings":[{"content":"x"},{"content":"y","embedding":[NaN]}]}',
      "embeddings[1].embedding[0]",
      /NaN/,
    ],
    ["NUL in row 1", `{"embeddings":[{"content":"x"},{"content":"${nul}"}]}`, "embeddings[1].content", nulMessage],
    [
      "one id, two contents",
      {
        embeddings: [
          { ...good, id: "a" },
          { ...good, content: "y", id: "a" },
        ],
      },
      "embeddings[1].id",
      /repeats the id of embeddings\[0\]/,
    ],
    ["an id that exists", { embeddings: [good, { ...good, id: "first" }] }, "embeddings[1].id", /exists already/, 409],
    ["unknown return", { embeddings: [good], return: "all" }, "return", /"full"\|"ids"\|"count"/],
    ["13 MB of the 12 that are allowed", megabytes(13), null, /larger than 12 MB/, 413],
  ] satisfies Wrong[]
).map(at("batch", `${rowPath}/batch`));

export const streams: BadRequest[] = (
  [
    ["nothing", "", null, /The body is empty/],
    ["no JSON", "content,embedding\n", "line 1", /^line 1: is not valid JSON \(at byte offset 0\)$/],
    ["a row cut off", `${JSON.stringify(good)}\n{"content":"x"\n`, "line 2", /valid JSON \(it ends too early\)/],
    ["a row with a key twice", '{"content":"x","content":"y"}\n', "line 1.content", /given more than once/],
    ["a deep row", `{"metadata":${deep(100)}}\n`, "line 1.metadata", /more than 100 levels/],
    ["a row without content", "{}\n", "line 1.content", /expected string/],
    ["the third row short", `\n${JSON.stringify(good)}\n{"content":"x","embedding":[1]}`, "line 3.embedding", /got 1/],
    ["NUL", `{"content":"${nul}"}\n`, "line 1.content", nulMessage],
    ["NaN", `${JSON.stringify(good)}\n{"content":"x","embedding":[NaN]}\n`, "line 2.embedding[0]", /NaN/],
    ["broken UTF-8", Buffer.from('{"content":"\xff"}\n', "latin1"), "line 1", /not valid UTF-8/],
    ["gzip", gzipSync(JSON.stringify(good)), "content-type", /without a Content-Encoding/, 415],
  ] satisfies Wrong[]
)
  .map(at("stream", `${rowPath}/batch`))
  .map((each) => ({
    ...each,
    headers: {
      "content-type": "application/x-ndjson",
      ...(each.status === 415 ? { "content-encoding": "gzip" } : {}),
    },
  }));

const filtered = (filters: unknown) => ({ query: "x", filters });
let nested: object = { type: "eq", key: "k", value: 1 };
for (let i = 0; i < 20; i += 1) nested = { type: "and", filters: [nested] };
const nestedText = `{"query":"x","filters":${'{"type":"and","filters":['.repeat(10_000)}${"]}".repeat(10_000)}}`;

export const searches: BadRequest[] = (
  [
    ["no query", {}, "query", /required/],
    ["query is a number", { query: 5 }, "query", /expected a non-empty string/],
    ["query blank", { query: "  " }, "query", /must not be empty/],
    ["17 queries", { query: Array(17).fill("x") }, "query", /1 to 16/],
    ["no queries", { query: [] }, "query", /must not be empty/],
    ["a query that is too long", { query: "q".repeat(100_001) }, "query", /at most 100000 characters/],
    ["NUL in the query", `{"query":"${nul}"}`, "query", nulMessage],
    ["half a character in a query", `{"query":["a","${half}"]}`, "query[1]", halfMessage],
    ["99-deep query", `{"query":${deep(99, '"x"')}}`, "query", /expected a non-empty string/],
    ["max_num_results 0", { query: "x", max_num_results: 0 }, "max_num_results", /at least 1/],
    ["max_num_results 51", { query: "x", max_num_results: 51 }, "max_num_results", /at most 50/],
    ["max_num_results as text", { query: "x", max_num_results: "10" }, "max_num_results", /expected number/],
    ["limit 101", { query: "x", limit: 101 }, "limit", /at most 100/],
    ["top_k 51", { query: "x", top_k: 51 }, "top_k", /at most 50/],
    ["top_k 1.5", { query: "x", top_k: 1.5 }, "top_k", /expected int/],
    [
      "threshold above 1",
      { query: "x", ranking_options: { score_threshold: 1.1 } },
      "ranking_options.score_threshold",
      /at most 1/,
    ],
    [
      "threshold as text",
      { query: "x", ranking_options: { score_threshold: "0" } },
      "ranking_options.score_threshold",
      /number/,
    ],
    ["unknown ranker", { query: "x", ranking_options: { ranker: "best" } }, "ranking_options.ranker", /"auto"/],
    ["ranking_options a string", { query: "x", ranking_options: "auto" }, "ranking_options", /expected object/],
    ["rewrite_query as text", { query: "x", rewrite_query: "no" }, "rewrite_query", /expected boolean/],
    ["return_metadata as text", { query: "x", return_metadata: "yes" }, "return_metadata", /expected boolean/],
    ["rerank as a number", { query: "x", rerank: 1 }, "rerank", /expected true, false or "required"/],
    ["filters a string", filtered("a=b"), "filters", /expected an object/],
    ["filters an array", filtered([]), "filters", /expected an object/],
    ["filter of an unknown type", filtered({ type: "like", key: "k", value: "%" }), "filters.type", /one of eq, ne/],
    ["filter type that breaks String()", filtered({ type: { toString: 1, valueOf: 1 } }), "filters.type", /a string/],
    ["98-deep filter type", `{"query":"x","filters":{"type":${deep(98)}}}`, "filters.type", /a string/],
    ["filter value null", filtered({ type: "eq", key: "k", value: null }), "filters.value", /a string, a number or/],
    ["flat filter value null", filtered({ k: null }), "filters.k", /a string, a number or a boolean/],
    ["filter value beyond a double", '{"query":"x","filters":{"k":1e400}}', "filters.k", /a number/],
    ["filter __proto__ as an object", '{"query":"x","filters":{"__proto__":{"a":1}}}', "filters.__proto__", /string/],
    ["in without a list", filtered({ type: "in", key: "k", value: "v" }), "filters.value", /expected an array/],
    ["2,001 values", filtered({ type: "in", key: "k", value: Array(2001).fill(1) }), "filters.value", /at most 2000/],
    ["501 conditions", filtered(numbered(501, 1)), "filters", /at most 500 conditions/],
    ["filter key of 257 characters", filtered({ ["k".repeat(257)]: 1 }), "filters", /at most 256 characters/],
    ["an extra field", filtered({ type: "eq", key: "k", value: 1, or: 2 }), "filters", /takes only/],
    ["21 levels", filtered(nested), `filters${".filters[0]".repeat(20)}`.slice(0, 200), /more than 20 levels/],
    ["10,000 levels", nestedText, "filters", /more than 100 levels/],
    ["filters twice", '{"query":"x","filters":{"a":1},"filters":{"a":2}}', "filters", /given more than once/],
    ["a key of a filter twice", '{"query":"x","filters":{"a":1,"a":2}}', "filters.a", /given more than once/],
    ["NUL in a filter value", `{"query":"x","filters":{"k":"${nul}"}}`, "filters.k", nulMessage],
    ["NUL in a filter key", `{"query":"x","filters":{"${nul}":1}}`, "filters", nulMessage],
    ["half in a filter", `{"query":"x","filters":{"type":"eq","key":"${half}","value":1}}`, "filters.key", halfMessage],
  ] satisfies Wrong[]
).map(at("search", "/v1/vector_stores/{store}/search"));

const asked = (name: string, query: string, param: string, message: RegExp): BadRequest => ({
  name: `list rows: ${name}`,
  method: "GET",
  path: `${rowPath}?${query}`,
  param,
  message,
});
const json = encodeURIComponent;
export const listsAndDeletes: BadRequest[] = [
  asked("limit 1001", "limit=1001", "limit", /at most 1000/),
  asked("unknown include", "include=content", "include", /embedding/),
  asked("unknown format", "encoding_format=hex", "encoding_format", /"float"\|"base64"/),
  asked("filters no JSON", "filters=a%3Db", "filters", /^filters: is not valid JSON \(at byte offset 0\)$/),
  asked("filters too deep", `filters=${deep(101)}`, "filters", /more than 100 levels/),
  asked("a key of filters twice", `filters=${json('{"a":1,"a":2}')}`, "filters.a", /given more than once/),
  asked("NUL in filters", `filters=${json(`{"a":"${nul}"}`)}`, "filters.a", nulMessage),
  asked(
    "half in filters",
    `filters=${json(`{"type":"eq","key":"a","value":"${half}"}`)}`,
    "filters.value",
    halfMessage,
  ),
  asked("NUL in after", "after=%00", "after", /not an id/),
  ...(
    [
      ["nothing selected", {}, "filters", /say what to delete/],
      ["all: false", { all: false }, "filters", /say what to delete/],
      ["an empty filter", { filters: {} }, "filters", /filters" that are not empty/],
      ["an empty and", { filters: { type: "and", filters: [{ type: "and", filters: [] }] } }, "filters", /not empty/],
      ["no ids", { ids: [] }, "ids", /must not be empty/],
      ["ids are numbers", { ids: [1] }, "ids[0]", /expected string/],
      ["NUL in an id", `{"ids":["${nul}"]}`, "ids[0]", nulMessage],
      ["all as text", { all: "yes" }, "all", /expected boolean/],
    ] satisfies Wrong[]
  ).map(at("delete rows", rowPath, "DELETE")),
  at(
    "delete rows",
    `${rowPath}?filters=${json('{"a":1}')}`,
    "DELETE",
  )(["two filters", { filters: { b: 2 } }, "filters", /keep one/]),
];
