import { hash } from "node:crypto";
import type { Answer, Asked } from "../litellm/support.js";
import type { FakeKey, FakeLitellm } from "./fakeLitellm.js";

/* LiteLLM's management routes, with the answers of 1.106.2. */

export const sha = (text: string) => hash("sha256", text, "hex");
export const refused = (status: number, type: string, message: string): Answer => ({
  status,
  json: { error: { message, type, param: "None", code: String(status) } },
});

type State = Pick<FakeLitellm, "masterKey" | "keys" | "teams" | "users" | "emails" | "minted" | "deleted" | "instead">;
type Body = Record<string, unknown>;

/** One page as LiteLLM cuts it; it refuses larger ones. */
function pageOf<T>(all: readonly T[], query: URLSearchParams, sizeName: string): { items: T[]; total: number } | null {
  const [page, size] = [Number(query.get("page") ?? 1), Number(query.get(sizeName) ?? 25)];
  return size > 100 ? null : { items: all.slice((page - 1) * size, page * size), total: all.length };
}
const tooLarge: Answer = {
  status: 422,
  json: { detail: [{ loc: ["query", "size"], msg: "Input should be less than or equal to 100" }] },
};
const includes = (text: string, part: string | null) =>
  part === null || text.toLowerCase().includes(part.toLowerCase());

/** `duration` of /key/generate and /key/update; "-1" and null clear an end. */
const endOf = (duration: unknown): string | undefined =>
  typeof duration !== "string" || duration === "-1"
    ? undefined
    : new Date(Date.now() + Number.parseInt(duration, 10) * 1000).toISOString().replace("Z", "+00:00");

function listsOf({ keys, teams, users, emails }: State) {
  return {
    "/user/list": ({ query }: { query: URLSearchParams }): Answer => {
      const found = [...users]
        .filter(([id]) => includes(emails.get(id) ?? "", query.get("user_email")))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([id, role]) => ({ user_id: id, user_role: role, user_email: emails.get(id) ?? null, key_count: 0 }));
      const page = pageOf(found, query, "page_size");
      return page === null ? tooLarge : { json: { users: page.items, total: page.total } };
    },
    "/v2/team/list": ({ query }: { query: URLSearchParams }): Answer => {
      const found = [...teams]
        .filter(([id]) => query.get("team_id") === null || query.get("team_id") === id)
        .filter(([, { team_alias: alias }]) => includes(alias ?? "", query.get("team_alias")))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([id, team]) => ({
          blocked: false,
          members_with_roles: [],
          ...team,
          team_id: id,
          object_permission: null,
        }));
      const page = pageOf(found, query, "page_size");
      return page === null ? tooLarge : { json: { teams: page.items, total: page.total } };
    },
    "/key/list": ({ query }: { query: URLSearchParams }): Answer => {
      const matches = (key: FakeKey) =>
        (["user_id", "team_id", "key_alias"] as const).every(
          (field) => query.get(field) === null || key[field] === query.get(field),
        );
      const found = [...keys].reverse().filter(([, key]) => matches(key));
      const page = pageOf(
        found.map(([key, facts]) => ({ ...facts, token: sha(key), key_name: `sk-...${key.slice(-4)}` })),
        query,
        "size",
      );
      return page === null ? tooLarge : { json: { keys: page.items, total_count: page.total } };
    },
  };
}

function changesOf({ keys, minted, deleted }: State) {
  const byHash = (of: unknown) => [...keys].find(([key]) => sha(key) === of);
  const isTaken = (alias: unknown, but?: string) =>
    alias != null && [...keys].some(([key, facts]) => facts.key_alias === alias && key !== but);
  const taken = (alias: unknown) =>
    refused(
      400,
      "bad_request_error",
      `Key with alias '${String(alias)}' already exists. Unique key aliases across all keys are required.`,
    );
  const setBlocked =
    (blocked: boolean) =>
    ({ body }: { body: Body }): Answer => {
      const [, found] = byHash(body.key) ?? [];
      if (found === undefined) return refused(404, "not_found_error", "Key not found.");
      found.blocked = blocked;
      return { json: { token: body.key, blocked } };
    };
  return {
    "/key/generate": ({ body }: { body: Body }): Answer => {
      if (isTaken(body.key_alias)) return taken(body.key_alias);
      const key = `sk-minted-${minted.size + 1}`;
      minted.set(key, body);
      const { duration, ...facts } = body as FakeKey & { duration?: string };
      const expires = endOf(duration);
      keys.set(key, { ...facts, ...(expires !== undefined && { expires }) });
      return { json: { key, token: sha(key), expires: expires ?? null } };
    },
    "/key/update": ({ body }: { body: Body }): Answer => {
      const [key, found] = byHash(body.key) ?? [];
      if (key === undefined || found === undefined) return refused(404, "not_found_error", "Key not found.");
      if (isTaken(body.key_alias, key)) return taken(body.key_alias);
      const expires = endOf(body.duration);
      if (expires === undefined) delete found.expires;
      else found.expires = expires;
      if (body.key_alias !== undefined) found.key_alias = body.key_alias as string;
      return { json: { key: body.key } };
    },
    "/key/block": setBlocked(true),
    "/key/unblock": setBlocked(false),
    "/key/regenerate": (): Answer =>
      refused(500, "internal_server_error", "Regenerating Virtual Keys is an Enterprise feature"),
    "/key/delete": ({ body }: { body: Body }): Answer => {
      const hashes = body.keys as string[];
      deleted.push(...hashes);
      for (const each of hashes) keys.delete(byHash(each)?.[0] ?? "");
      return { json: { deleted_keys: hashes } };
    },
  };
}

/** What answers one of the management routes, for the master only; null for another route. */
export function managerOf(state: State) {
  const routes = { ...listsOf(state), ...changesOf(state) };
  return (asked: Asked): (() => Answer) | null => {
    const { pathname, searchParams: query } = new URL(asked.path, "http://fake");
    if (!Object.hasOwn(routes, pathname)) return null;
    const answer = () => routes[pathname as keyof typeof routes]({ query, body: asked.body });
    return () => {
      if (asked.headers.authorization !== `Bearer ${state.masterKey}`) {
        return refused(401, "auth_error", "Only proxy admins");
      }
      const instead = state.instead.get(pathname);
      return instead === undefined ? answer() : instead(answer, asked.body);
    };
  };
}
