/** Starts a service with its own fake proxy before the tests of each suite that imports this module. */
import { afterAll, afterEach, beforeAll } from "@jest/globals";
import type { Answer } from "../litellm/support.js";
import { type FakeProxy, startFakeProxy } from "../support/fakeProxy.js";
import { type TestService, startService } from "../support/service.js";
import { batchPath, createStore } from "../support/stores.js";

export const texts = [
  "The office cat is called Whiskers and sleeps on the printer.",
  "Shipping is free for orders over fifty dollars.",
  "Passwords must be changed every ninety days.",
  "The warehouse is closed on Sundays.",
  "Solar panels produce a third of the electricity.",
  "The printer on the second floor is out of paper.",
];

export let proxy: FakeProxy;
export let service: TestService;
export let id: string;
beforeAll(async () => {
  proxy = await startFakeProxy();
  service = await startService({ environment: { ...proxy.environment, DATABASE_POOL_SIZE: "1" } });
  id = await filled();
});
afterEach(() => {
  proxy.reset();
  proxy.calls();
});
afterAll(async () => {
  await service.close();
  await proxy[Symbol.asyncDispose]();
});

export async function filled(body: object = {}): Promise<string> {
  const store = await createStore(service, body);
  const embeddings = texts.map((content, n) => ({ id: `${store}-${n}`, content, metadata: { n } }));
  await service.post(batchPath(store), { embeddings, return: "count" }).expect(200);
  proxy.calls();
  return store;
}

export interface Page {
  data: { id: string; score: number; vector_score?: number; content: { text: string }[] }[];
  reranked?: boolean;
  search_query: string[];
}
export const path = (store: string) => `/v1/vector_stores/${store}/search`;
export const search = (body: object, store = id) =>
  service.post(path(store), { query: "the cat sleeps on the printer", ...body });
export const page = async (body: object, store = id) => (await search(body, store).expect(200)).body as Page;
export const textsOf = ({ data }: Page) => data.map((hit) => hit.content[0]?.text);
export const refusal = (status: number, message: string): Answer => ({
  status,
  json: { error: { message, type: null, param: null, code: String(status) } },
});
