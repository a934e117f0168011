import { create } from "../../src/core/access/serverKeys.js";
import type { KeyScope } from "../../src/words/caller.js";
import { type FakeLitellm, startFakeLitellm } from "../support/fakeLitellm.js";
import { type Claims, identitySecret, signIdentity } from "../support/identity.js";
import { type TestService, startService } from "../support/service.js";
import { type Answer, send } from "./requests.js";

/** What the test that is running has started. */
export const current: { litellm?: FakeLitellm; service?: TestService } = {};
export async function stop(): Promise<void> {
  const { litellm, service } = current;
  delete current.litellm;
  delete current.service;
  await service?.close();
  await litellm?.[Symbol.asyncDispose]();
}

export const parsed = (answer: Answer) => JSON.parse(answer.text) as Record<string, unknown>;
export const header = "x-vector-store-identity";

interface Options {
  master?: boolean;
  scope?: KeyScope;
  environment?: Record<string, string>;
}

/** A service with a key that requires an identity, and what LiteLLM asks with it. */
export async function start({ master = true, scope = "write", environment = {} }: Options = {}) {
  const fake = await startFakeLitellm({ master });
  current.litellm = fake;
  fake.teams.set("red", {});
  for (const name of ["ann", "ben"]) fake.keys.set(`sk-${name}`, { user_id: name, team_id: "red" });
  const settings = { LITELLM_MASTER_KEY: fake.masterKey, LITELLM_IDENTITY_SECRET: identitySecret };
  const running = await startService({ environment: { ...settings, ...fake.environment, ...environment } });
  current.service = running;
  const made = { name: "registry", scope, stores: null, identityRequired: true, expiresAt: null };
  const { key } = await create(running.deps, { name: "test", address: null, requestId: null }, made);
  const ask = (token: string | null, method: string, path: string, body?: object, with_ = key) =>
    send(running.url, {
      method,
      path: `/v1/vector_stores${path}`,
      key: with_,
      ...(body !== undefined && { body }),
      ...(token !== null && { headers: { [header]: token } }),
    });
  const makeStore = async (claims: Omit<Claims, "op">, name: string) =>
    parsed(await ask(signIdentity({ op: "create", ...claims }), "POST", "", { name })).id as string;
  const search = (claims: Omit<Claims, "op">, store: string, query = "a") =>
    ask(signIdentity({ op: "search", store, ...claims }), "POST", `/${store}/search`, { query });
  const seen = async (claims: Omit<Claims, "op">) => {
    const answer = await ask(signIdentity({ op: "list", ...claims }), "GET", "");
    return (parsed(answer).data as { name: string }[]).map(({ name }) => name).sort();
  };
  return { fake, running, key, ask, makeStore, search, seen };
}
