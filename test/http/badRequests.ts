import { gzipSync } from "node:zlib";
import type { Sent } from "./requests.js";

/** A bad request and its expected error. `{store}` in a path is the id of an existing store. */
export interface BadRequest extends Sent {
  name: string;
  status?: number;
  param: string | null;
  message: RegExp;
}

/** JSON text of arrays in arrays. */
export const deep = (levels: number, inner = "1") => "[".repeat(levels) + inner + "]".repeat(levels);
/** The two kinds of characters that PostgreSQL cannot store, as JSON escapes. */
export const nul = "\\u0000";
export const half = "\\ud800";
export const nulMessage = /must not contain the character U\+0000/;
export const halfMessage = /must not contain a lone surrogate/;
export const megabytes = (count: number) => Buffer.alloc(count * 1024 * 1024, 32);
export const numbered = (count: number, value: unknown) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, value]));

export const stores = "/v1/vector_stores";
/** POST /v1/vector_stores with one wrong field. */
export const create = (
  name: string,
  body: object | string,
  param: string | null,
  message: RegExp,
  status?: number,
): BadRequest => ({ name: `create: ${name}`, path: stores, body, param, message, ...(status && { status }) });
export const get = (name: string, path: string, param: string | null, message: RegExp, status = 400): BadRequest => ({
  name,
  method: "GET",
  path,
  param,
  message,
  status,
});

export const fieldsOfAStore: BadRequest[] = [
  create("name is a number", { name: 5 }, "name", /^name: expected string, received number$/),
  create("name is too long", { name: "n".repeat(257) }, "name", /^name: at most 256 characters$/),
  create("NUL in name", `{"name":"a${nul}"}`, "name", nulMessage),
  create("half a character in name", `{"name":"${half}x"}`, "name", halfMessage),
  create("description is a boolean", { description: true }, "description", /expected string/),
  create("description is too long", { description: "d".repeat(4097) }, "description", /at most 4096 characters/),
  create("metadata is an array", { metadata: [] }, "metadata", /expected an object/),
  create("metadata is a string", { metadata: "a=b" }, "metadata", /expected an object/),
  create("metadata has 17 pairs", { metadata: numbered(17, 1) }, "metadata", /at most 16 pairs, got 17/),
  create("metadata key of 65 characters", { metadata: { ["k".repeat(65)]: 1 } }, `metadata.${"k".repeat(64)}`, /64/),
  create("metadata value of 513 characters", { metadata: { k: "v".repeat(513) } }, "metadata.k", /at most 512/),
  create("metadata value null", { metadata: { k: null } }, "metadata.k", /a string .*, a number or a boolean/),
  create("metadata value is an object", { metadata: { k: { a: 1 } } }, "metadata.k", /a number or a boolean/),
  create("metadata value beyond a double", '{"metadata":{"k":1e400}}', "metadata.k", /a number/),
  create("NUL in a metadata key", `{"metadata":{"k${nul}":1}}`, "metadata", /a key must not contain .* U\+0000/),
  create("half a character in metadata", `{"metadata":{"k":"${half}"}}`, "metadata.k", halfMessage),
  create("__proto__ is a metadata key like any other", '{"metadata":{"__proto__":{}}}', "metadata.__proto__", /string/),
  create("unknown anchor", { expires_after: { anchor: "now", days: 1 } }, "expires_after.anchor", /last_active_at/),
  create("0 days", { expires_after: { anchor: "last_active_at", days: 0 } }, "expires_after.days", /at least 1/),
  create("366 days", { expires_after: { anchor: "last_active_at", days: 366 } }, "expires_after.days", /at most 365/),
  create("half a day", { expires_after: { anchor: "last_active_at", days: 0.5 } }, "expires_after.days", /int/),
  create("days as text", { expires_after: { anchor: "last_active_at", days: "7" } }, "expires_after.days", /number/),
  create("no days", { expires_after: { anchor: "last_active_at" } }, "expires_after.days", /expected number/),
  create("expires_after is a string", { expires_after: "7d" }, "expires_after", /expected object/),
  create("file_ids is a string", { file_ids: "file-1" }, "file_ids", /expected array/),
  create("501 files", { file_ids: Array(501).fill("file-1") }, "file_ids", /at most 500 files/),
  create("unknown chunking", { chunking_strategy: { type: "smart" } }, "chunking_strategy", /"auto"/),
  create(
    "chunks of 99 tokens",
    { chunking_strategy: { type: "static", static: { max_chunk_size_tokens: 99, chunk_overlap_tokens: 0 } } },
    "chunking_strategy.static.max_chunk_size_tokens",
    />=100/,
  ),
  create(
    "two different numbers of dimensions",
    { embedding_dimensions: 8, embedding_dimension: 16 },
    "embedding_dimension",
    /differs from `embedding_dimensions`/,
  ),
  create("99-deep name", `{"name":${deep(99)}}`, "name", /expected string/),
  create("98-deep metadata", `{"metadata":{"k":${deep(98)}}}`, "metadata.k", /a number or a boolean/),
  create("NUL 98 levels down", `{"metadata":{"k":${deep(98, `"${nul}"`)}}}`, `…${"[0]".repeat(20)}`, /U\+0000/),
];

export const bodies: BadRequest[] = [
  create("an array", "[]", null, /expected object, received array/),
  create("a string", '"name"', null, /expected object, received string/),
  create("null", "null", null, /expected object, received null/),
  create("nothing but spaces", "  \n ", null, /The body is empty/),
  create("cut off", '{"name": "a', null, /not valid JSON \(it ends too early\)\.$/),
  create("single quotes", "{'name': 'a'}", null, /not valid JSON \(at byte offset 1\)\.$/),
  create("a trailing comma", '{"name": "ä",}', null, /not valid JSON \(at byte offset 14\)\.$/),
  create("a value without quotes", '{"name": a}', null, /not valid JSON \(at byte offset 9\)\.$/),
  create("two values", "{}{}", null, /not valid JSON \(at byte offset 2\)\.$/),
  create("a field twice", '{"name":"a","metadata":{},"n\\u0061me":"b"}', "name", /^name: given more than once/),
  create("a key twice", '{"metadata":{"a":[],"b":{"c":1,"c":1}}}', "metadata.b.c", /given more than once/),
  create("NaN", '{"metadata":{"a":"NaN","k":NaN}}', "metadata.k", /NaN and Infinity are not JSON numbers/),
  create("Infinity", '{"metadata":{"k":[1,-Infinity]}}', "metadata.k[1]", /NaN and Infinity/),
  create("NaN alone", "NaN", null, /NaN and Infinity/),
  create("9 million spaces, which used to be slow", `[${" ".repeat(9_000_000)}x`, null, /not valid JSON/),
  create("100 levels, not closed", "[".repeat(100), null, /not valid JSON/),
  create("101 levels, not closed", "[".repeat(101), null, /^The body is nested more than 100 levels deep\.$/),
  create("101 levels", `{"name":${deep(100)}}`, "name", /^name: nested more than 100 levels deep$/),
  create("10 MB of brackets", "[".repeat(10_000_000), null, /more than 100 levels/),
  create("broken UTF-8", Buffer.from('{"name":"\xff"}', "latin1"), null, /not valid UTF-8/),
  create("UTF-16", Buffer.from('{"name":"a"}', "utf16le"), null, /not valid JSON/),
  create("11 MB", megabytes(11), null, /larger than 10 MB/, 413),
  { ...create("11 MB, chunked", "", null, /larger than 10 MB/, 413), body: Array<Buffer>(11).fill(megabytes(1)) },
  {
    ...create("11 MB behind 11 kB of gzip", gzipSync(megabytes(11)), null, /larger than 10 MB/, 413),
    headers: { "content-encoding": "gzip" },
  },
  { ...create("invalid gzip", "{}", null, /cannot be read/), headers: { "content-encoding": "gzip" } },
  {
    ...create("unknown encoding", "{}", null, /Content-Encoding is not supported/, 415),
    headers: { "content-encoding": "compress-me" },
    param: "content-type",
  },
  ...[
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/x-ndjson",
    "",
  ].map((type): BadRequest => ({
    ...create(`content-type "${type}"`, '{"name":"a"}', "content-type", /Content-Type: application\/json/, 415),
    headers: { "content-type": type },
  })),
];

export const idsAndPages: BadRequest[] = [
  get(
    "an id that no store has",
    `${stores}/vs_00000000000000000000000000000000`,
    "vector_store_id",
    /No vector store/,
    404,
  ),
  get("an id without vs_", `${stores}/abc`, "vector_store_id", /begins with 'vs_'/),
  get("NUL in the id", `${stores}/vs_%00`, "vector_store_id", /additional characters/),
  get("SQL as the id", `${stores}/x'%3B%20DROP%20TABLE%20embeddings%3B--`, "vector_store_id", /additional characters/),
  get("a path as the id", `${stores}/..%2F..%2Fetc%2Fpasswd`, "vector_store_id", /additional characters/),
  get("an id of 5,000 characters", `${stores}/vs_${"a".repeat(5000)}`, "vector_store_id", /additional characters/),
  get("malformed percent-encoding", `${stores}/vs_%E0%A4%A`, null, /malformed percent-encoding/),
  get("half a character in the id", `${stores}/%ED%A0%80`, null, /malformed percent-encoding/),
  get("limit 0", `${stores}?limit=0`, "limit", /^limit: must be at least 1$/),
  get("limit -1", `${stores}?limit=-1`, "limit", /at least 1/),
  get("limit 101", `${stores}?limit=101`, "limit", /^limit: must be at most 100$/),
  get("limit with a fraction", `${stores}?limit=1.5`, "limit", /whole number/),
  get("limit in exponential notation", `${stores}?limit=1e1`, "limit", /whole number/),
  get("limit empty", `${stores}?limit=`, "limit", /whole number/),
  get("limit twice", `${stores}?limit=1&limit=2`, "limit", /given more than once/),
  get("limit beyond the safe integers", `${stores}?limit=9999999999999999999999`, "limit", /whole number/),
  get("order twice", `${stores}?order=asc&order=desc`, "order", /given more than once/),
  get("unknown order", `${stores}?order=up`, "order", /"asc"\|"desc"/),
  get("after empty", `${stores}?after=`, "after", /must not be empty/),
  get("after is not an id", `${stores}?after=first`, "after", /begins with 'vs_'/),
  get("NUL in after", `${stores}?after=%00`, "after", /additional characters/),
  get("after is too long", `${stores}?after=${"a".repeat(1001)}`, "after", /at most 1000 characters/),
  get("SQL in before", `${stores}?before=1'%20OR%20true--`, "before", /additional characters/),
  get("NUL in the purpose of files", "/v1/files?purpose=%00", "purpose", /U\+0000/),
  {
    name: "more metadatas than texts",
    path: `${stores}/{store}/files`,
    body: { texts: ["a"], metadatas: [{}, { tenant: "A" }] },
    param: "metadatas",
    message: /more entries than `texts`/,
  },
  {
    name: "a file twice in a batch, with different attributes",
    path: `${stores}/{store}/file_batches`,
    body: {
      files: [
        { file_id: "file-1", attributes: { a: 1, b: 2 } },
        { file_id: "file-1", attributes: { b: 2, a: 1 } },
        { file_id: "file-1", attributes: { a: 2, b: 1 } },
      ],
    },
    param: "files[2].file_id",
    message: /given twice, with other attributes/,
  },
  {
    name: "a reserved attribute of a text",
    path: `${stores}/{store}/files`,
    body: { texts: ["a", "b"], metadatas: [null, { file_id: "x" }] },
    param: "metadatas[1].file_id",
    message: /used by the service/,
  },
  {
    name: "a reserved attribute of a batch's file",
    path: `${stores}/{store}/file_batches`,
    body: { files: [{ file_id: "file-1" }, { file_id: "file-2", attributes: { place: 1 } }] },
    param: "files[1].attributes.place",
    message: /used by the service/,
  },
  {
    name: "a reserved attribute of a batch",
    path: `${stores}/{store}/file_batches`,
    body: { file_ids: ["file-1"], attributes: { chunk_index: 1 } },
    param: "attributes.chunk_index",
    message: /used by the service/,
  },
  get("an unknown URL", "/v1/vector_stores/{store}/nothing", null, /Unknown request URL/, 404),
  { ...get("update without a body", `${stores}/{store}`, null, /The body is empty/), method: "POST" },
  {
    ...get("update of an unknown store", `${stores}/vs_0`, "vector_store_id", /No vector/, 404),
    method: "POST",
    body: {},
  },
  { name: "update: name", path: `${stores}/{store}`, body: { name: [] }, param: "name", message: /expected string/ },
  { name: "update: metadata", path: `${stores}/{store}`, body: { metadata: 1 }, param: "metadata", message: /object/ },
  ...(
    [
      ["PUT", stores],
      ["DELETE", stores],
      ["PATCH", `${stores}/{store}`],
      ["GET", `${stores}/{store}/search`],
      ["PUT", `${stores}/{store}/embeddings/batch`],
      ["POST", "/health"],
      ["POST", "/docs"],
      ["DELETE", "/openapi.json"],
      ["TRACE", stores],
    ] as const
  ).map(([method, path]): BadRequest => ({
    name: `${method} ${path}`,
    method,
    path,
    status: 405,
    param: null,
    message: /is not allowed here; this URL takes [A-Z, ]+\.$/,
  })),
];
