import { beforeAll, describe, expect, test } from "@jest/globals";
import { randomUUID } from "node:crypto";
import { type Asking, ask, directly, makeKey, makeStore, makeUser, named, ways } from "./identitySupport.js";
import { providerCalls, sidecar } from "./support.js";

/** What LiteLLM does not say rightly is refused, and what it remembers is for nobody else. */

const word = "plover";
let ann: string;
let cat: string;
/** Ann's, with the word. */
let store: string;
beforeAll(async () => {
  ann = await makeKey({ user_id: await makeUser("owner") });
  cat = await makeKey({ user_id: await makeUser("other") });
  store = await makeStore(ann, "owner", `The word is ${word}.`);
});

/** How test/contract/callback/saboteur.py spoils the callback's work for a key of Ann's. */
const spoilt = async (sabotage: string): Promise<Asking> => ({
  key: await makeKey({ user_id: named("owner"), metadata: { sabotage } }),
});
const nothing = expect.not.stringContaining(word) as unknown;
const theWord = expect.stringContaining(word) as unknown;

describe("if LiteLLM's callback", () => {
  test("works, its caller gets the document", async () => {
    const asking = await spoilt("not at all");
    for (const [way, go] of Object.entries(ways))
      expect([way, (await go([store], asking)).text]).toEqual([way, theWord]);
  });

  test.each([
    ["is missing", "drop", 401],
    ["fails", "raise", 500],
    ["has another secret", "forge", 401],
    ["signs for another vector store", "other", 401],
    ["is not alone in sending the header", "twice", 401],
  ])("%s, nobody gets anything", async (_name, sabotage, status) => {
    const asking = await spoilt(sabotage);
    for (const [way, go] of Object.entries(ways)) {
      const answer = await go([store], asking);
      expect([way, answer.text]).toEqual([way, nothing]);
      if (way === "search") expect(answer.status).toBe(status);
      // A chat is answered without the documents, and says so.
      if (way !== "chat") continue;
      expect(answer).toEqual({ status: 200, text: expect.stringContaining("vector_store_search_failures") });
    }
    const made = { name: named(sabotage), custom_llm_provider: "pg_vector" };
    const answers = [
      await ask(`/vector_stores/${store}`, null, asking),
      await ask(`/vector_stores/${store}`, null, { ...asking, method: "DELETE" }),
      await ask("/vector_stores", made, asking),
    ];
    expect(answers.map((answer) => answer.status)).toEqual([status, status, status]);
    const { data } = await directly(ann).vectorStores.list();
    expect(data.map(({ id }) => id)).toEqual([store]);
  });

  test("does not know the registry's address, nobody gets anything", async () => {
    const elsewhere = sidecar.baseURL.replace("127.0.0.1", "localhost").replace(/\/v1$/, "");
    const other = await makeStore(ann, "elsewhere", `The word is ${word}.`, {
      litellm_params: { api_base: elsewhere },
    });
    const answer = await ways.search?.([other], { key: ann });
    expect(answer).toEqual({ status: 401, text: expect.stringContaining("vector_store_identity.instance") });
    await directly(ann).vectorStores.delete(other);
  });
});

describe("LiteLLM's response cache", () => {
  const cache = { "use-cache": true };

  test("works here for calls without vector stores", async () => {
    const said = randomUUID();
    const body = { model: "upstream-chat", messages: [{ role: "user", content: said }], cache };
    for (const key of [ann, cat]) expect((await ask("/chat/completions", body, { key })).text).toContain(said);
    expect(await providerCalls(said)).toHaveLength(1);
  });

  test("would give one user's documents to another, were it not for the callback", async () => {
    const messages = [{ role: "user", content: `What is the word? ${randomUUID()}` }];
    const chat = async (user: string) => {
      const key = await makeKey({ user_id: named(user), metadata: { sabotage: "cache" } });
      return (await ways.chat?.([store], { key }, { messages, cache }))?.text;
    };
    expect([await chat("owner"), await chat("other")]).toEqual([theWord, theWord]);
  });

  test("gives nobody the documents of somebody else", async () => {
    for (const [way, go] of Object.entries(ways)) {
      expect([way, (await go([store], { key: ann }, { cache })).text]).toEqual([way, theWord]);
      expect([way, (await go([store], { key: cat }, { cache })).text]).toEqual([way, nothing]);
    }
  });
});
