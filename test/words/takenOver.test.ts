import { describe, expect, test } from "@jest/globals";
import { eventOf, grantOf } from "../../src/words/takenOver.js";

describe("permissions of litellm-vector-store", () => {
  const meant = (permission: string | null, userId = "ann") =>
    grantOf({ storeId: "a", subject: `user:${userId}`, permission })?.permission ?? null;

  test.each([
    ["read", ["read", "READ", " view ", "Viewer", "read-only", "read_only", "readonly"]],
    ["write", ["write", "Edit", "editor", "read_write", "read write"]],
    ["admin", ["admin", "Administrator", "manage", "owner"]],
  ])("mean %s", (permission, words) => {
    for (const word of words) expect([word, meant(word)]).toEqual([word, permission]);
  });

  test.each([null, "", "all", "superuser", "rwx", "none", "no access", "constructor"])("mean nothing: %j", (word) => {
    expect(meant(word)).toBeNull();
  });

  test("of nobody, or of an id that no user here can have", () => {
    expect(meant("read", "")).toBeNull();
    expect(meant("read", "x".repeat(257))).toBeNull();
    expect(grantOf({ storeId: "a", subject: "user:team:x", permission: "read" })).toEqual({
      storeId: "a",
      subject: "user:team:x",
      permission: "read",
    });
  });

  test.each(["everyone", "user:ann", "team:support"])("of another installation's subject %s", (subject) => {
    const given = { storeId: "a", subject, permission: "write" };
    expect(grantOf(given)).toEqual(given);
  });

  test.each(["", "ann", "everyone else", "key:abc", "team:"])(
    "of no subject that this service grants to: %j",
    (subject) => {
      expect(grantOf({ storeId: "a", subject, permission: "write" })).toBeNull();
    },
  );
});

describe("uses of litellm-vector-store", () => {
  const use = { id: "1", userId: "ann", storeId: null, action: "search", tokens: 5, seconds: 0.0126, at: 1000 };

  test("are requests under ids of their own", () => {
    expect(eventOf(use)).toMatchObject({
      id: "use_1",
      userId: "ann",
      keyId: "",
      tokens: 5,
      durationMs: 13,
      status: 200,
    });
    expect(eventOf({ ...use, tokens: null, seconds: null })).toMatchObject({ tokens: 0, durationMs: 0 });
  });

  test.each([{ at: null }, { seconds: Infinity }, { seconds: NaN }, { seconds: -1 }, { tokens: -1 }])(
    "without %j",
    (odd) => {
      expect(eventOf({ ...use, ...odd })).toBeNull();
    },
  );
});
