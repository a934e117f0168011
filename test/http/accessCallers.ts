import type { FakeLitellm } from "../support/fakeLitellm.js";
import type { Need } from "./accessRoutes.js";

/** Who asks. The things of the matrix belong to `owner`, whose key is of a team. */
export const people = [
  "owner",
  "teammate",
  "reader",
  "writer",
  "storeAdmin",
  "stranger",
  "revoked",
  "blockedTeam",
  "expired",
  "searchKey",
  "limitedKey",
  "serverKey",
  "admin",
  "adminUser",
  "viewer",
  /** LiteLLM, with a key that requires an identity: for the owner, without a token, and with a forged one. */
  "forOwner",
  "forUnnamed",
  "forForger",
  "nobody",
] as const;
export type Person = (typeof people)[number];

/** Gives LiteLLM the keys of the people who have one there. */
export function fillLitellm({ keys, teams, users }: FakeLitellm): void {
  teams.set("red", {});
  teams.set("blocked", { blocked: true });
  for (const name of ["reader", "writer", "storeAdmin", "stranger"]) keys.set(`sk-${name}`, { user_id: name });
  for (const name of ["owner", "teammate"]) keys.set(`sk-${name}`, { user_id: name, team_id: "red" });
  keys.set("sk-blockedTeam", { user_id: "owner", team_id: "blocked" });
  keys.set("sk-expired", { user_id: "owner", expires: "2020-01-01T00:00:00Z" });
  keys.set("sk-adminUser", { user_id: "root" });
  keys.set("sk-spare", { user_id: "leaver", key_alias: "spare" });
  keys.set("sk-viewer", { user_id: "viewer" });
  users.set("root", "proxy_admin");
  users.set("viewer", "proxy_admin_viewer");
}

/** 2: it works; else the status of the refusal. */
type Expected = 2 | 401 | 403 | 404;

const alike = (status: Expected, ...who: Person[]) => Object.fromEntries(who.map((each) => [each, status]));
/** `forOwner` may what the owner may, where LiteLLM asks for it at all; see the test. */
const locked = alike(401, "revoked", "blockedTeam", "expired", "forOwner", "forUnnamed", "forForger", "nobody");
const admins = alike(2, "admin", "adminUser");
const everybody = (status: Expected) => ({ ...alike(status, ...people), ...locked });

/** What comes of each need, by who asks. */
export const expected: Record<Need, Record<Person, Expected>> = (() => {
  const reading = {
    ...everybody(2),
    ...alike(404, "stranger"),
    ...alike(403, "searchKey"),
  };
  const writing = { ...reading, ...alike(403, "reader", "viewer") };
  const administering = { ...writing, ...alike(403, "teammate", "writer") };
  const makes = { ...everybody(2), ...alike(403, "searchKey", "viewer") };
  const onlyAdmins = { ...everybody(403), ...admins };
  // A file that is attached can be read through its store; itself it stays its owner's.
  const file = { ...reading, ...alike(404, "reader", "writer", "storeAdmin", "limitedKey") };
  const table = {
    nothing: alike(2, ...people),
    key: everybody(2),
    search: { ...reading, ...alike(2, "searchKey") },
    read: reading,
    write: writing,
    admin: administering,
    "write, and the file": { ...writing, ...alike(404, "writer", "storeAdmin", "limitedKey") },
    share: { ...administering, ...alike(403, "reader"), ...alike(2, "viewer") },
    create: makes,
    list: { ...everybody(2), ...alike(403, "searchKey") },
    file,
    "own file": { ...file, ...alike(403, "teammate", "viewer") },
    "own upload": { ...file, ...alike(404, "teammate"), ...alike(403, "viewer") },
    "own session": { ...everybody(404), ...alike(2, "owner") },
    model: { ...everybody(2), ...alike(403, "searchKey") },
    administrator: onlyAdmins,
    "reading administrator": { ...onlyAdmins, ...alike(2, "viewer") },
  };
  return table as Record<Need, Record<Person, Expected>>;
})();

/**
 * A key that is limited to some stores may make files, but no store. Only its owner gives a store away, or whoever sees
 * all stores.
 */
export const exceptions: Partial<Record<string, Partial<Record<Person, Expected>>>> = {
  "post /vector_stores": { limitedKey: 403 },
  "put /vector_stores/:vector_store_id/owner": { storeAdmin: 403, limitedKey: 403 },
};
