import { beforeAll, describe, expect, test } from "@jest/globals";
import { hash } from "node:crypto";
import OpenAI, { toFile } from "openai";
import sharp from "sharp";
import { embeddingModel, proxy, sidecar, until } from "./support.js";

/** Every model call lands in LiteLLM on the key, user and team of whoever caused it. */

const root = proxy.baseURL.replace(/\/v1$/, "");
const post = <T>(path: string, body: object) => proxy.post<T>(root + path, { body });
const sha = (text: string) => hash("sha256", text, "hex");
const master = sha(process.env.LITELLM_KEY ?? "");
const run = Date.now().toString(36);

/** What LiteLLM writes down of a call. */
interface Call {
  call_type: string;
  api_key: string;
  user: string;
  team_id: string | null;
  spend: number;
}
/** Kinds of calls, as LiteLLM names them. */
const kinds = { embedding: "aembedding", rerank: "arerank", chat: "acompletion" };

let people = 0;
/** Somebody new in a team of their own, so that nothing else is charged to either. */
async function somebody() {
  people += 1;
  const userId = `payer-${people}-${run}`;
  await post("/user/new", { user_id: userId, user_role: "internal_user", auto_create_key: false });
  const { team_id: teamId } = await post<{ team_id: string }>("/team/new", { team_alias: `paying-${people}-${run}` });
  const { key } = await post<{ key: string }>("/key/generate", { user_id: userId, team_id: teamId });
  const client = new OpenAI({ baseURL: sidecar.baseURL, apiKey: key, maxRetries: 0 });
  return { userId, teamId, key, client };
}

/** All calls that LiteLLM has written down for a user. It writes every ten seconds or so. */
async function callsOf(userId: string): Promise<Call[]> {
  const query = new URLSearchParams({
    user_id: userId,
    page: "1",
    page_size: "100",
    start_date: "2020-01-01 00:00:00",
    end_date: "2100-01-01 00:00:00",
  });
  const { data } = await proxy.get<{ data: Call[] }>(`${root}/spend/logs/v2?${query.toString()}`);
  return data;
}

/** Waits until LiteLLM has written down calls of exactly these kinds for the user. */
async function settled(userId: string, expected: readonly string[]): Promise<Call[]> {
  const sorted = expected.toSorted();
  let seen: Call[] = [];
  // Whatever it is that does not come, the comparison says it.
  await until(async () => (seen = await callsOf(userId)).length >= sorted.length).catch(() => undefined);
  expect(seen.map((call) => call.call_type).sort()).toEqual(sorted);
  return seen;
}

const createStore = (client: OpenAI) =>
  client.vectorStores.create({ name: "spend", embedding_model: embeddingModel } as OpenAI.VectorStoreCreateParams);
const rows = (contents: readonly string[]) => ({
  body: { embeddings: contents.map((content, i) => ({ id: `${run}-${i}`, content })), return: "count" },
});

describe("the model calls of a request", () => {
  let ann: Awaited<ReturnType<typeof somebody>>;
  let storeId: string;
  const expected: string[] = [];
  beforeAll(async () => {
    ann = await somebody();
    storeId = (await createStore(ann.client)).id;
  });

  test("land on the caller's key, user and team: rows, searches, reranking, answers", async () => {
    await ann.client.post(`/vector_stores/${storeId}/embeddings/batch`, rows(["The cat sleeps.", "The dog barks."]));
    expected.push(kinds.embedding);
    await ann.client.vectorStores.search(storeId, { query: `who sleeps? ${run}` });
    expected.push(kinds.embedding);
    await ann.client.post(`/vector_stores/${storeId}/search`, {
      body: { query: `who barks? ${run}`, rerank: "required", rerank_model: "rerank" },
    });
    expected.push(kinds.embedding, kinds.rerank);
    await ann.client.post(`/vector_stores/${storeId}/rag`, {
      body: { query: `who is it? ${run}`, rerank: "required" },
    });
    expected.push(kinds.embedding, kinds.rerank, kinds.chat);
    for (const call of await settled(ann.userId, expected)) {
      expect(call).toMatchObject({ api_key: sha(ann.key), team_id: ann.teamId });
      if (call.call_type === kinds.embedding) expect(call.spend).toBeGreaterThan(0);
    }
  });
});

describe("the model calls of files", () => {
  const read = async (client: OpenAI, storeId: string, file: File, key: string) => {
    const { id } = await client.files.create({ file, purpose: "assistants" });
    await client.vectorStores.files.create(storeId, { file_id: id });
    // Whoever attaches a file may be gone before it is read.
    await post("/key/delete", { keys: [sha(key)] });
    await until(async () => {
      const { status } = await sidecar.vectorStores.files.retrieve(id, { vector_store_id: storeId });
      if (status === "failed") throw new Error("the file was not read");
      return status === "completed";
    });
  };

  test("land on the user and team, with a key made for them, even if theirs is deleted: texts and pictures", async () => {
    const png = await sharp({ create: { width: 320, height: 200, channels: 3, background: "#fff" } })
      .png()
      .toBuffer();
    for (const [file, expected] of [
      [await toFile(Buffer.from(`${run} `.repeat(50)), "a.txt"), [kinds.embedding]],
      [await toFile(png, "a.png"), [kinds.chat, kinds.embedding]],
    ] as const) {
      const ben = await somebody();
      const { id } = await createStore(ben.client);
      await read(ben.client, id, file, ben.key);
      for (const call of await settled(ben.userId, expected)) {
        expect(call.team_id).toBe(ben.teamId);
        expect([master, sha(ben.key)]).not.toContain(call.api_key);
      }
      await until(async () => {
        const { spend } = await proxy.get<{ spend: number }>(`${root}/v2/user/info?user_id=${ben.userId}`);
        const { team_info: team } = await proxy.get<{ team_info: { spend: number } }>(
          `${root}/team/info?team_id=${ben.teamId}`,
        );
        return spend > 0 && team.spend > 0;
      });
    }
  });
});
