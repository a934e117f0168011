import type { Answer, Asked } from "../litellm/support.js";
import { managerOf, refused, sha } from "./fakeLitellmAdmin.js";
import { type FakeProxy, startFakeProxy } from "./fakeProxy.js";

/** A key of the fake LiteLLM, as /key/info describes it. Absent fields are null there. */
export interface FakeKey {
  user_id?: string | null;
  team_id?: string | null;
  blocked?: boolean;
  expires?: string;
  key_type?: "default" | "llm_api";
  object_permission?: { vector_stores: string[] } | null;
  models?: string[];
  key_alias?: string | null;
  metadata?: Record<string, unknown>;
  spend?: number;
  max_budget?: number | null;
}
interface FakeTeam {
  team_alias?: string;
  members_with_roles?: { user_id: string; role: string }[];
  blocked?: boolean;
  object_permission?: { vector_stores: string[] } | null;
}

/** A stand-in for LiteLLM in database mode that knows keys, teams and users; its answers are those of 1.106.2. */
export interface FakeLitellm extends FakeProxy {
  masterKey: string;
  /** By the key itself. */
  keys: Map<string, FakeKey>;
  teams: Map<string, FakeTeam>;
  /** Roles by user id. */
  users: Map<string, string>;
  /** Emails by user id. */
  emails: Map<string, string>;
  /** What management routes answer in the place of the usual, by path; it may do the usual work, too. */
  instead: Map<string, (usual: () => Answer, body: Record<string, unknown>) => Answer>;
  /** Replaces every answer about keys, teams and users; null: the usual ones. */
  outage: Answer | null;
  /** The keys that the service has made here, with what it asked for; and the hashes of those it has deleted. */
  minted: Map<string, Record<string, unknown>>;
  deleted: string[];
  /** The look-ups so far, by path without the query. */
  lookups(): string[];
  /** The failed look-ups, each of which costs LiteLLM a row. */
  rows(): number;
}

type State = Pick<FakeLitellm, "masterKey" | "keys" | "teams" | "users" | "emails"> & { onUnknown: () => void };

/** Answers about keys, teams and users. @param asked what the query names */
function directoryOf({ masterKey, keys, teams, users, emails, onUnknown }: State) {
  const describe = (key: string, found: FakeKey): Answer => {
    const info = { user_id: null, team_id: null, blocked: null, expires: null, ...found };
    return { json: { key: sha(key), info: { ...info, status: isOver(found) ? "expired" : "active" } } };
  };
  const isOver = ({ expires }: FakeKey) => expires !== undefined && Date.parse(expires) <= Date.now();
  const aboutItself = (bearer: string): Answer => {
    const found = keys.get(bearer);
    if (found === undefined) {
      onUnknown();
      return refused(401, "token_not_found_in_db", "Authentication Error, Invalid proxy server token passed.");
    }
    if (found.key_type === "llm_api")
      return { status: 403, json: { detail: "Virtual key is not allowed to call this route." } };
    if (found.blocked === true) return refused(401, "auth_error", "Authentication Error, Key is blocked.");
    if (teams.get(found.team_id ?? "")?.blocked === true)
      return refused(401, "auth_error", `Authentication Error, Team=${found.team_id ?? ""} is blocked.`);
    if (isOver(found)) return refused(401, "expired_key", "Authentication Error - Expired Key.");
    return describe(bearer, found);
  };
  return {
    "/key/info": (bearer: string, asked: URLSearchParams): Answer => {
      const hashed = asked.get("key");
      if (hashed === null) return aboutItself(bearer);
      if (bearer !== masterKey)
        return refused(403, "internal_server_error", "You are not allowed to access this key's info.");
      const entry = [...keys].find(([key]) => sha(key) === hashed);
      return entry === undefined ? refused(404, "not_found_error", "Key not found in database") : describe(...entry);
    },
    "/team/info": (bearer: string, asked: URLSearchParams): Answer => {
      const id = asked.get("team_id") ?? "";
      const team = teams.get(id);
      if (bearer !== masterKey && keys.get(bearer)?.team_id !== id) return refused(403, "auth_error", "not your team");
      if (team === undefined) return refused(404, "not_found_error", "Team not found");
      const info = { team_id: id, blocked: false, object_permission: null, ...team };
      return { json: { team_id: id, team_info: info, keys: [] } };
    },
    "/v2/user/info": (bearer: string, asked: URLSearchParams): Answer => {
      const id = asked.get("user_id") ?? "";
      const role = users.get(id);
      if (bearer !== masterKey && keys.get(bearer)?.user_id !== id) return refused(403, "auth_error", "not you");
      return role === undefined
        ? refused(404, "not_found_error", "User not found")
        : { json: { user_id: id, user_role: role, user_email: emails.get(id), teams: [], object_permission: null } };
    },
  };
}

const has = <T extends object>(routes: T, path: string): path is keyof T & string => Object.hasOwn(routes, path);

/** @param options.master whether the service knows the master key */
export async function startFakeLitellm({ master = true }: { master?: boolean } = {}): Promise<FakeLitellm> {
  const masterKey = "sk-fake-master";
  let rows = 0;
  const seen: string[] = [];
  const state = {
    masterKey,
    keys: new Map() as FakeLitellm["keys"],
    teams: new Map() as FakeLitellm["teams"],
    users: new Map() as FakeLitellm["users"],
    emails: new Map() as FakeLitellm["emails"],
    instead: new Map() as FakeLitellm["instead"],
    minted: new Map() as FakeLitellm["minted"],
    deleted: [] as string[],
  };
  const lookUps = directoryOf({ ...state, onUnknown: () => (rows += 1) });
  const manage = managerOf(state);
  const answer = (asked: Asked): Answer | null => {
    const { pathname, searchParams } = new URL(asked.path, "http://fake");
    const managed = manage(asked);
    if (managed !== null) return fake.outage ?? managed();
    if (!has(lookUps, pathname)) return null;
    seen.push(pathname);
    const bearer = asked.headers.authorization?.replace("Bearer ", "") ?? "";
    return fake.outage ?? lookUps[pathname](bearer, searchParams);
  };
  const proxy = await startFakeProxy(answer);
  const fake: FakeLitellm = Object.assign(proxy, {
    ...state,
    outage: null as Answer | null,
    lookups: () => [...seen],
    rows: () => rows,
  });
  fake.environment = { ...proxy.environment, ...(master && { LITELLM_MASTER_KEY: masterKey }) };
  return fake;
}
