/** Starts a service with a LiteLLM whose keys the tests of each suite that imports this module manage. */
import { afterAll, beforeAll, beforeEach } from "@jest/globals";
import { type FakeLitellm, startFakeLitellm } from "../support/fakeLitellm.js";
import { sha } from "../support/fakeLitellmAdmin.js";
import { type TestService, startService } from "../support/service.js";
import { type Answer, send } from "./requests.js";

export interface Key {
  id: string;
  key: string;
  alias: string | null;
  status: string;
  user_id: string | null;
  team_id: string | null;
  expires_at: number | null;
  spend: number;
  vector_store_ids: string[];
}
export interface Page {
  data: Key[];
  has_more: boolean;
  next_page: string | null;
  total: number;
}
interface Entry {
  action: string;
  target: string;
  details: Record<string, unknown>;
}

export let litellm: FakeLitellm;
export let service: TestService;
beforeAll(async () => {
  litellm = await startFakeLitellm();
  service = await startService({ environment: litellm.environment });
});
beforeEach(() => {
  for (const each of [litellm.keys, litellm.teams, litellm.users, litellm.instead]) each.clear();
  litellm.outage = null;
  litellm.teams.set("red", {});
  litellm.users.set("ann", "internal_user");
  litellm.users.set("ben", "internal_user");
});
afterAll(async () => {
  await service.close();
  await litellm[Symbol.asyncDispose]();
});

export const parsed = (answer: Answer) => JSON.parse(answer.text) as unknown;
const path = "/v1/admin/litellm_keys";
export const ask = (method: string, more = "", body?: object) =>
  send(service.url, { method, path: `${path}${more}`, key: litellm.masterKey, ...(body !== undefined && { body }) });
export const list = async (query = "") => parsed(await ask("GET", query)) as Page;
export const make = (body: object) => ask("POST", "", body);
export const change = (key: string, how: string, body?: object) => ask("POST", `/${sha(key)}/${how}`, body);
/** The status of a request with a key. */
export const use = async (key: string) => (await send(service.url, { method: "GET", path: "/v1/files", key })).status;
export const audit = async (limit = 1) => {
  const answer = await send(service.url, {
    method: "GET",
    path: `/v1/admin/audit?limit=${limit}`,
    key: litellm.masterKey,
  });
  return (parsed(answer) as { data: Entry[] }).data;
};
export const failure = { status: 500, json: { error: { message: "boom", type: "internal_server_error" } } };
export const refusal = { status: 400, json: { error: { message: "no such model", type: "bad_request_error" } } };
