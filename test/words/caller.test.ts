import { describe, expect, test } from "@jest/globals";
import { format, inspect } from "node:util";
import { pino } from "pino";
import {
  type Caller,
  type Owner,
  type Scope,
  fullServer,
  noOwner,
  ownerOf,
  ownWork,
  scopeOf,
} from "../../src/words/caller.js";
import { master, user as userOf } from "../support/callers.js";

const user = userOf("ann", { secret: "sk-very-secret" });
const { key } = user;
const all: Scope = { kind: "all" };
const none: Scope = { kind: "none" };
const limited: Caller = { kind: "server", keyId: "key_1", scope: "read", onlyStores: ["vs_1"] };
const held = (by: Partial<Owner>, onlyStores: string[] | null = null) => ({
  kind: "held",
  by: { ...noOwner, ...by },
  onlyStores,
});

describe("a caller's scope and ownership", () => {
  test.each<[string, Caller, object, object, Owner]>([
    ["nobody", { kind: "nobody" }, none, none, noOwner],
    ["the server", fullServer, all, all, noOwner],
    ["the service itself", ownWork, all, all, noOwner],
    ["the master", master, all, all, noOwner],
    ["an administrator", { kind: "admin", readOnly: false, user }, all, all, { ...noOwner, userId: "ann" }],
    ["one who only reads", { kind: "admin", readOnly: true, user }, all, none, { ...noOwner, userId: "ann" }],
    [
      "a limited server key",
      limited,
      { kind: "listed", stores: ["vs_1"], keyId: "key_1" },
      { kind: "listed", stores: ["vs_1"], keyId: "key_1" },
      { ...noOwner, keyId: "key_1" },
    ],
    ["a user", user, held({ userId: "ann" }), held({ userId: "ann" }), { ...noOwner, userId: "ann" }],
    [
      "a user of a team",
      userOf("ann", { teamId: "t", onlyStores: ["vs_2"] }),
      held({ userId: "ann", teamId: "t" }, ["vs_2"]),
      held({ userId: "ann", teamId: "t" }, ["vs_2"]),
      { ...noOwner, userId: "ann", teamId: "t" },
    ],
    [
      "a service account",
      userOf("", { userId: null, teamId: "t" }),
      held({ teamId: "t" }),
      held({ teamId: "t" }),
      { ...noOwner, teamId: "t" },
    ],
    [
      "a key without user and team",
      userOf("", { userId: null, keyHash: "h" }),
      held({ keyId: "h" }),
      held({ keyId: "h" }),
      { ...noOwner, keyId: "h" },
    ],
  ])("%s", (_name, caller, reading, changing, owner) => {
    expect(scopeOf(caller, "read")).toEqual("by" in reading ? { ...reading, need: "read" } : reading);
    expect(scopeOf(caller, "admin")).toEqual("by" in changing ? { ...changing, need: "admin" } : changing);
    expect(ownerOf(caller)).toEqual(owner);
  });
});

describe("a caller's key", () => {
  test("is returned only by reveal", () => {
    expect(key?.reveal()).toBe("sk-very-secret");
    const lines: string[] = [];
    const log = pino({}, { write: (line: string) => lines.push(line) });
    const copy = { ...user, more: [{ deep: user }], map: new Map([["caller", user]]) };
    log.info(
      { caller: user, copy, err: Object.assign(new Error("failed"), { caller: user }) },
      "%s %o %j",
      user,
      copy,
      user,
    );
    const shown = [
      ...lines,
      JSON.stringify(copy),
      String(key),
      inspect(copy, { depth: 9, showHidden: true }),
      format("%s %o %O %j", user, user, user, user),
      Object.entries(user).flat().join(),
    ];
    for (const text of shown) expect(text).not.toContain("very-secret");
    expect(shown[1]).toContain('"key":"[redacted]"');
  });
});
