import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { failure } from "../litellm/support.js";
import { type TestService, startService } from "../support/service.js";
import { testKey } from "../support/settings.js";
import { bodyOf, errorOf, rowsPath, searchPath } from "../support/stores.js";
import { storePath, storesPath } from "./modelStores.js";
import { proxy, service } from "./promptsSupport.js";

/** What embedding models are told of a text's purpose. */

interface Shown {
  id: string;
  query_prefix?: string;
  document_prefix?: string;
  input_type?: { query: string; document: string };
  warnings?: string[];
}

const create = async (body: object, at = service) => (await bodyOf(at.post(storesPath, body).expect(200))) as Shown;
const shown = ({ query_prefix, document_prefix, input_type }: Shown) => ({ query_prefix, document_prefix, input_type });
/** What the last request for embeddings had of the texts and their purpose. */
const lastAsked = () => {
  const body = proxy.asked.filter(({ path }) => path === "/v1/embeddings").at(-1)?.body;
  const { input, input_type } = body as unknown as { input: string[]; input_type?: string };
  return { input, input_type };
};
const insert = (id: string, content: string) => service.post(rowsPath(id), { content }).expect(200);
const search = (id: string, query: string) => service.post(searchPath(id), { query }).expect(200);

test("a model of a known family gets its prefixes, and the store shows them", async () => {
  const store = await create({ embedding_model: "my-e5-base" });
  const prefixes = { query_prefix: "query: ", document_prefix: "passage: " };
  expect(shown(store)).toEqual({ ...prefixes, input_type: undefined });
  await insert(store.id, "Zurich is in Switzerland.");
  expect(lastAsked()).toEqual({ input: ["passage: Zurich is in Switzerland."] });
  await search(store.id, "Where is Zurich?");
  expect(lastAsked()).toEqual({ input: ["query: Where is Zurich?"] });
  const rows = await bodyOf(service.get(rowsPath(store.id)).expect(200));
  expect(rows).toMatchObject({ data: [{ content: "Zurich is in Switzerland." }] });
  expect(await bodyOf(service.get(storePath(store.id)).expect(200))).toMatchObject(prefixes);
});

test("chunks of files get the document's prefix, and keep their text", async () => {
  const store = await create({ document_prefix: "d: ", query_prefix: "q: " });
  const form = new FormData();
  form.append("files", new File(["A file about cats."], "cats.txt"));
  const headers = { authorization: `Bearer ${testKey}` };
  const sent = await fetch(`${service.url}${storePath(store.id)}/upload`, { method: "POST", headers, body: form });
  expect(sent.status).toBe(200);
  expect(lastAsked().input).toEqual(["d: A file about cats."]);
  const found = (await bodyOf(search(store.id, "cats"))) as { data: { content: { text: string }[] }[] };
  expect(lastAsked().input).toEqual(["q: cats"]);
  expect(found.data[0]?.content[0]?.text).toBe("A file about cats.");
});

test("a model that refuses texts without a purpose works: its dimensions, its documents and its queries", async () => {
  proxy.answers.info = () => ({
    json: { data: [{ model_name: "nim", litellm_params: { model: "nvidia_nim/nvidia/nv-embedqa-e5-v5" } }] },
  });
  proxy.answers.embeddings = ({ body }) =>
    "input_type" in body ? null : failure(400, "'input_type' parameter is required for asymmetric models");
  const nim = await startService({ environment: proxy.environment });
  try {
    const store = await create({ embedding_model: "nim" }, nim);
    expect(store.input_type).toEqual({ query: "query", document: "passage" });
    await nim.post(rowsPath(store.id), { content: "one" }).expect(200);
    expect(lastAsked()).toEqual({ input: ["one"], input_type: "passage" });
    await nim.post(searchPath(store.id), { query: "two" }).expect(200);
    expect(lastAsked()).toEqual({ input: ["two"], input_type: "query" });
  } finally {
    await nim.close();
  }
});

test.each([
  ["search_document", { query: "search_query", document: "search_document" }],
  ["passage", { query: "query", document: "passage" }],
  ["document", { query: "query", document: "document" }],
  [
    { query: "a", document: "b" },
    { query: "a", document: "b" },
  ],
  ["none", undefined],
])("input_type %j", async (input_type, expected) => {
  const store = await create({ input_type });
  expect(store.input_type).toEqual(expected);
  await search(store.id, `about ${JSON.stringify(input_type)}`);
  expect(lastAsked().input_type).toEqual(expected?.query);
});

test("what a request says counts, also that there is nothing", async () => {
  const none = { query_prefix: "", document_prefix: "", input_type: "none" };
  const store = await create({ embedding_model: "nomic-embed-text", ...none });
  expect(shown(store)).toEqual({});
  await search(store.id, "nothing before it");
  expect(lastAsked()).toEqual({ input: ["nothing before it"] });
  const half = await create({ embedding_model: "nomic-embed-text", query_prefix: null, document_prefix: "doc: " });
  expect(shown(half)).toEqual({ query_prefix: "search_query: ", document_prefix: "doc: " });
});

test('"none" is nothing in a prefix, too', async () => {
  const store = await create({ embedding_model: "nomic-embed-text", query_prefix: "none", document_prefix: "none" });
  expect(shown(store)).toEqual({});
  const changed = await bodyOf(service.post(storePath(store.id), { query_prefix: "none" }).expect(200));
  expect(shown(changed as Shown)).toEqual({});
});

test("clients that can send only metadata say it there; what is not used is named", async () => {
  const metadata = { query_prefix: "q: ", document_prefix: "d: ", input_type: "passage" };
  const store = await create({ metadata });
  expect(shown(store)).toEqual({
    query_prefix: "q: ",
    document_prefix: "d: ",
    input_type: { query: "query", document: "passage" },
  });
  expect(store.warnings).toBeUndefined();
  const other = await create({ query_prefix: "ask: ", metadata: { ...metadata, input_type: "pdf" } });
  expect(shown(other)).toEqual({ query_prefix: "ask: ", document_prefix: "d: " });
  expect(other.warnings).toEqual([
    `metadata.query_prefix "q: " is not used: the store's query_prefix is 'ask: '`,
    `metadata.input_type "pdf" is not used: the store's input_type is ''`,
  ]);
});

test("a long prefix shortens what fits beside it, by its tokens", async () => {
  proxy.answers.info = () => ({ json: { data: [{ model_name: "narrow", model_info: { max_input_tokens: 200 } }] } });
  const narrow = await startService({ environment: proxy.environment });
  try {
    const prefix = "Represent this sentence for searching relevant passages: ".repeat(8);
    const store = await create({ embedding_model: "narrow", query_prefix: prefix }, narrow);
    const query = "Which of the many passages in this store says when the office in Zurich opens? ".repeat(2).trim();
    await narrow.post(searchPath(store.id), { query }).expect(200);
    const [sent = ""] = lastAsked().input;
    expect(sent.startsWith(`${prefix}Which of`)).toBe(true);
    expect(sent.endsWith("opens?")).toBe(true);
  } finally {
    await narrow.close();
  }
});

test("a proxy that is away is named, where the model's name says nothing", async () => {
  proxy.answers.info = () => "drop";
  const away = await startService({ environment: proxy.environment });
  try {
    const store = await create({}, away);
    expect(store.warnings).toEqual([expect.stringMatching(/could not be asked what the model 'embed' wants/)]);
    expect((await create({ embedding_model: "e5-base" }, away)).warnings).toBeUndefined();
    const said = { query_prefix: "", document_prefix: "", input_type: "none" };
    expect((await create(said, away)).warnings).toBeUndefined();
  } finally {
    await away.close();
  }
});

test("the built-in embedder has no use for them, and the answer says so", async () => {
  const bare = await startService();
  try {
    const store = await create({ query_prefix: "query: " }, bare);
    expect(store.warnings).toEqual([expect.stringMatching(/no effect: the built-in embedder/)]);
    expect((await create({}, bare)).warnings).toBeUndefined();
  } finally {
    await bare.close();
  }
});

test("the query's prefix can change, and the next search has it; the document's cannot", async () => {
  const store = await create({ embedding_model: "my-e5-small" });
  await search(store.id, "before");
  const changed = await bodyOf(service.post(storePath(store.id), { query_prefix: "ask: " }).expect(200));
  expect(shown(changed as Shown)).toEqual({ query_prefix: "ask: ", document_prefix: "passage: " });
  await search(store.id, "after");
  expect(lastAsked().input).toEqual(["ask: after"]);
  await service.post(storePath(store.id), { name: "renamed" }).expect(200);
  await service.post(storePath(store.id), { query_prefix: "" }).expect(200);
  const { query_prefix } = (await bodyOf(service.get(storePath(store.id)).expect(200))) as Shown;
  expect(query_prefix).toBeUndefined();
  for (const field of ["document_prefix", "input_type"]) {
    const refused = await service.post(storePath(store.id), { [field]: "x" }).expect(400);
    expect(errorOf(refused)).toMatchObject({ param: field, message: expect.stringContaining("keeps the") as unknown });
  }
});

test.each([
  [{ query_prefix: "x".repeat(501) }, "query_prefix", /at most 500 characters/],
  [{ document_prefix: 7 }, "document_prefix", /string/],
  [{ input_type: "documents" }, "input_type", /"search_document"/],
  [{ input_type: { query: "q" } }, "input_type", /query and document/],
  [{ input_type: { query: "", document: "d" } }, "input_type.query", /must not be empty/],
])("refuses %j", async (body, param, message) => {
  const refused = await service.post(storesPath, body).expect(400);
  expect(errorOf(refused)).toMatchObject({ param, message: expect.stringMatching(message) as unknown });
});

describe("by settings", () => {
  let set: TestService;
  beforeEach(async () => {
    const environment = {
      EMBEDDING__QUERY_PREFIX: '"ask: "',
      EMBEDDING__DOCUMENT_PREFIX: "text: ",
      EMBEDDING__INPUT_TYPE: "passage",
    };
    set = await startService({ environment: { ...proxy.environment, ...environment } });
  });
  afterEach(() => set.close());

  test("new stores of the settings' model have them, and keep them when the settings change", async () => {
    const store = await create({}, set);
    const expected = {
      query_prefix: "ask: ",
      document_prefix: "text: ",
      input_type: { query: "query", document: "passage" },
    };
    expect(shown(store)).toEqual(expected);
    expect(shown(await create({ embedding_model: "other" }, set))).toEqual({});
    await set.stop();
    set = await startService({ database: set.database, environment: proxy.environment });
    await set.post(searchPath(store.id), { query: "later" }).expect(200);
    expect(lastAsked()).toEqual({ input: ["ask: later"], input_type: "query" });
    expect(shown((await bodyOf(set.get(storePath(store.id)).expect(200))) as Shown)).toEqual(expected);
  });
});

test("a store from before, whose texts were embedded without prompts, gets none", async () => {
  const store = await create({ embedding_model: "my-e5-large" });
  await service.post(`${storePath(store.id)}/embeddings`, { content: "from before" }).expect(200);
  await service.database.exec(`UPDATE vector_stores SET embedding_prompts = NULL WHERE id = '${store.id}'`);
  service.deps.recentStores.clear();
  await search(store.id, "as ever");
  expect(lastAsked().input).toEqual(["as ever"]);
  const changed = await bodyOf(service.post(storePath(store.id), { query_prefix: "query: " }).expect(200));
  expect(shown(changed as Shown)).toEqual({ query_prefix: "query: " });
});
