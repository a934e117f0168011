import { describe, expect, test } from "@jest/globals";
import { format, inspect } from "node:util";
import { pino } from "pino";
import { type Caller, ownWork, ownerOf, scopeOf } from "../../src/words/caller.js";
import { Secret } from "../../src/words/secret.js";

const key = new Secret("sk-very-secret");
const user: Caller = { kind: "user", userId: "ann", key };

describe("a caller's scope and ownership", () => {
  test.each<[Caller, ReturnType<typeof scopeOf>, string | null]>([
    [{ kind: "nobody" }, { kind: "none" }, null],
    [{ kind: "server" }, { kind: "all" }, null],
    [{ kind: "admin" }, { kind: "all" }, null],
    [user, { kind: "owner", userId: "ann" }, "ann"],
    [ownWork, { kind: "all" }, null],
  ])("%p", (caller, scope, owner) => {
    expect(scopeOf(caller)).toEqual(scope);
    expect(ownerOf(caller)).toBe(owner);
  });
});

describe("a caller's key", () => {
  test("is returned only by reveal", () => {
    expect(key.reveal()).toBe("sk-very-secret");
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
