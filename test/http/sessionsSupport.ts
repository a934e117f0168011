import { type FakeLitellm, startFakeLitellm } from "../support/fakeLitellm.js";
import { type TestService, startService } from "../support/service.js";
import { type Answer, send } from "./requests.js";

export interface Me {
  kind: string;
  read_only: boolean;
  name: string;
  may: string[];
  vector_store_ids: string[] | null;
  features: Record<string, unknown>;
  session: { id: string; expires_at: number } | null;
}

/** What the test that is running has started. */
const current: { litellm?: FakeLitellm; services: TestService[] } = { services: [] };
export async function stop(): Promise<void> {
  const { litellm, services } = current;
  delete current.litellm;
  current.services = [];
  for (const replica of services.slice(1)) await replica.stop();
  await services[0]?.close();
  await litellm?.[Symbol.asyncDispose]();
}

/** A service with LiteLLM's users: ann and ben, max who is an administrator, vera who only views. */
export async function start({ environment = {} }: { environment?: Record<string, string> } = {}) {
  const litellm = await startFakeLitellm();
  current.litellm = litellm;
  litellm.teams.set("red", {});
  for (const [user, role] of [
    ["ann", "internal_user"],
    ["ben", "internal_user"],
    ["max", "proxy_admin"],
    ["vera", "proxy_admin_viewer"],
  ] as const) {
    litellm.users.set(user, role);
    litellm.keys.set(`sk-${user}`, { user_id: user });
  }
  litellm.keys.set("sk-robot", { team_id: "red" });
  const settings = { ...litellm.environment, ...environment };
  const service = await startService({ environment: settings });
  current.services.push(service);
  /** Another process on the same database. */
  const replica = async () => {
    const other = await startService({ environment: settings, database: service.database });
    current.services.push(other);
    return other;
  };
  const ask = (key: string, method: string, path: string, body?: object) =>
    send(service.url, { method, path: `/v1${path}`, key, ...(body !== undefined && { body }) });
  const asMaster = (method: string, path: string, body?: object) => ask(litellm.masterKey, method, path, body);
  const makeKey = async (body: object) =>
    parsed(await asMaster("POST", "/admin/keys", body)) as { id: string; key: string };
  return { litellm, service, replica, ask, asMaster, makeKey };
}

export const parsed = (answer: Answer) => JSON.parse(answer.text) as unknown;

/** As a page of the service itself sends it. */
export const ownPage = { "sec-fetch-site": "same-origin" };

export const signIn = (url: string, key: string, headers: Record<string, string> = ownPage) =>
  send(url, { path: "/v1/sessions", key: null, headers, body: { key } });

/** The cookies that an answer sets, as a browser sends them back; those that it clears are left out. */
export const cookieOf = ({ headers }: Answer): string =>
  [headers["set-cookie"] ?? []]
    .flat()
    .filter((line) => !line.includes("1970"))
    .map((line) => line.slice(0, line.indexOf(";")))
    .join("; ");

/** A browser that has signed in. */
export async function browser(service: TestService, key: string) {
  const answer = await signIn(service.url, key);
  if (answer.status !== 200) throw new Error(`signing in was answered ${answer.status}: ${answer.text}`);
  const { id, caller } = parsed(answer) as { id: string; caller: Me };
  const cookie = cookieOf(answer);
  const at =
    (url: string) =>
    (method: string, path: string, body?: object, headers: Record<string, string> = ownPage) =>
      send(url, {
        method,
        path: `/v1${path}`,
        key: null,
        headers: { cookie, ...headers },
        ...(body !== undefined && { body }),
      });
  const ask = at(service.url);
  return { id, caller, cookie, at, ask, status: async (path = "/me") => (await ask("GET", path)).status };
}
