import { describe, expect, test } from "@jest/globals";
import { createHmac, hash } from "node:crypto";
import { createIdentityReader } from "../../src/litellm/identityToken.js";
import { identitySecret, signIdentity } from "../support/identity.js";

const store = "vs_1";
const token = (claims: object = {}, options = {}) =>
  signIdentity({ sub: "ann", team: "red", by: "sk-ann", op: "search", store, ...claims }, options);
const reader = (secrets = [identitySecret], now = () => Date.now()) => createIdentityReader(secrets, now);
const problemOf = (text: string, read = reader()) => {
  const result = read(text);
  return "problem" in result ? result.problem : null;
};
const seconds = Math.floor(Date.now() / 1000);

describe("a token of the callback file", () => {
  test("says who asks, and for what", () => {
    expect(reader()(token())).toEqual({
      identity: {
        userId: "ann",
        teamId: "red",
        keyHash: hash("sha256", "sk-ann", "hex"),
        role: "internal_user",
        operation: "search",
        storeId: store,
      },
    });
  });

  test("of the master key has no hash, and that of LiteLLM's own page no team", () => {
    const read = reader();
    expect(read(token({ by: "master" }))).toMatchObject({ identity: { keyHash: null } });
    expect(read(token({ team: "litellm-dashboard" }))).toMatchObject({ identity: { teamId: null } });
    expect(read(token({ sub: "", team: "" }))).toMatchObject({ identity: { userId: null, teamId: null } });
  });

  test("counts with either of two secrets, and none counts without a secret", () => {
    const other = "another secret, which is also long enough";
    const read = reader([other, identitySecret]);
    expect([problemOf(token(), read), problemOf(token({}, { secret: other }), read)]).toEqual([null, null]);
    expect(problemOf(token({}, { secret: other }))).toMatch(/signature/);
    expect(problemOf(token(), reader([]))).toMatch(/LITELLM_IDENTITY_SECRET/);
  });

  test("lives for a minute, and clocks may be 30 seconds apart", () => {
    const at = (offset: number) =>
      problemOf(
        token({ iat: seconds, exp: seconds + 60 }),
        reader(undefined, () => (seconds + offset) * 1000),
      );
    expect([at(-31), at(-30), at(0), at(60), at(89), at(90)]).toEqual([
      expect.stringMatching(/future/),
      null,
      null,
      null,
      null,
      expect.stringMatching(/expired/),
    ]);
  });
});

describe("what proves nothing", () => {
  const [header = "", payload = "", signature = ""] = token().split(".");
  const signed = (first: string, second: string) =>
    `${first}.${second}.${createHmac("sha256", identitySecret).update(`${first}.${second}`).digest("base64url")}`;
  const encoded = (text: string) => Buffer.from(text).toString("base64url");
  const alter = (text: string) => `${text.slice(0, -2)}${text.endsWith("AA") ? "BB" : "AA"}`;

  test.each<[string, string]>([
    ["nothing", ""],
    ["a word", "ann"],
    ["a token without a signature", `${header}.${payload}.`],
    ["a changed payload", `${header}.${alter(payload)}.${signature}`],
    ["a changed signature", `${header}.${payload}.${alter(signature)}`],
    ["a second spelling of the signature", `${header}.${payload}.${signature}=`],
    ["two tokens in one header", `${token()}, ${token()}`],
    ["a space", ` ${token()}`],
    ["the algorithm none", token({}, { header: { alg: "none", typ: "JWT" } })],
    ["another algorithm", token({}, { header: { alg: "HS512", typ: "JWT" } })],
    ["a header that says more", token({}, { header: { alg: "HS256", typ: "JWT", kid: "1" } })],
    ["another secret", token({}, { secret: "a secret of 32 bytes that is not ours" })],
    ["no secret", token({}, { secret: "" })],
    ["a payload that is no JSON", signed(header, encoded("{"))],
    ["a payload that is no object", signed(header, encoded("[]"))],
    ["a huge payload", token({ more: "x".repeat(5000) })],
    ["another issuer", token({ iss: "evil" })],
    ["another audience", token({ aud: "litellm" })],
    ["several audiences", token({ aud: ["vector-store"] })],
    ["no issuer", token({ iss: undefined })],
    ["no audience", token({ aud: undefined })],
    ["no start", token({ iat: undefined })],
    ["no end", token({ exp: undefined })],
    ["no id", token({ jti: undefined })],
    ["no user claim", token({ sub: undefined })],
    ["no operation", token({ op: undefined })],
    ["no store claim", token({ store: undefined })],
    ["no key", token({ key: undefined })],
    ["a key of null", token({ key: null })],
    ["a key in clear text", token({ key: "sk-ann" })],
    ["a number for a user", token({ sub: 7 })],
    ["an end in words", token({ exp: String(seconds + 60) })],
    ["a long life", token({ exp: seconds + 3600 })],
    ["an end before the start", token({ iat: seconds, exp: seconds - 1 })],
  ])("%s", (_name, text) => {
    expect(problemOf(text)).toEqual(expect.any(String));
  });
});
