import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { type Place, createPlace, run } from "./support.js";

let place: Place;
beforeAll(async () => {
  place = await createPlace();
});
afterAll(() => place.remove());

const keys = (...args: string[]) => run(["keys", ...args], { environment: place.environment });
interface Listed {
  id: string;
  name: string;
  ending: string;
  scope: string;
  stores: string[] | null;
  identityRequired: boolean;
  createdBy: string;
}
const listed = async () => JSON.parse((await keys("list", "--json")).out) as Listed[];

test("keys are made, listed, rotated and revoked without a server", async () => {
  expect(await keys("list")).toMatchObject({ code: 0, out: "", err: expect.stringMatching(/No keys yet/) });
  const made = await keys("create", "registry", "--scope", "search");
  expect(made).toMatchObject({ code: 0, out: expect.stringMatching(/^sk-vs-[\w-]{43}\n$/), err: "" });
  await keys("create", "crawler", "--scope", "write", "--store", "vs_1", "vs_2", "--expires-after-days", "7");
  const [registry, crawler] = await listed();
  const ending = made.out.trim().slice(-4);
  expect(registry).toMatchObject({
    name: "registry",
    scope: "search",
    stores: null,
    ending,
    createdBy: "command line",
  });
  expect(crawler).toMatchObject({ name: "crawler", scope: "write", stores: ["vs_1", "vs_2"] });
  expect((await keys("list")).out).toMatch(
    new RegExp(`^${registry?.id ?? ""}\tregistry\t${ending}\tsearch\tserver\tall\t-\t-$`, "m"),
  );
  const rotated = await keys("rotate", registry?.id ?? "");
  expect(rotated.out).toMatch(/^sk-vs-/);
  expect((await listed())[0]).toMatchObject({ id: registry?.id, ending: rotated.out.trim().slice(-4) });
  expect(await keys("revoke", crawler?.id ?? "")).toMatchObject({
    code: 0,
    out: "",
    err: expect.stringMatching(/5 seconds/),
  });
  expect(await listed()).toHaveLength(1);
  const acts = await place.query("SELECT action, actor, address FROM vector_store_audit ORDER BY id");
  expect(acts.map(({ action }) => action)).toEqual(["key.create", "key.create", "key.rotate", "key.revoke"]);
  expect(acts.every(({ actor, address }) => actor === "command line" && address === null)).toBe(true);
});

/** What the doctor says of keys for LiteLLM's registry. */
async function checked(environment: Record<string, string> = {}) {
  // Nothing answers there.
  const proxy = { LITELLM_PROXY_URL: "http://127.0.0.1:9" };
  const { code, out } = await run(["doctor", "--json"], {
    environment: { ...place.environment, ...proxy, ...environment },
  });
  expect(code).toBe(1);
  const { checks } = JSON.parse(out) as { checks: { check: string }[] };
  return checks.find(({ check }) => check === "registry");
}

test("the doctor says whether there is a key for LiteLLM's registry, to servers that have a proxy", async () => {
  const [key] = await listed();
  await keys("revoke", key?.id ?? "");
  expect(await checked()).toMatchObject({ status: "warn", todo: expect.stringContaining("--scope search") });
  await keys("create", "for the doctor", "--scope", "search");
  expect(await checked()).toMatchObject({
    status: "ok",
    message: expect.stringMatching(/^1 key for .* to search: 1, as its users: 0$/),
  });
});

test("a key that requires an identity is marked, and a missing secret is said", async () => {
  const made = await keys("create", "per user", "--scope", "write", "--identity-required");
  expect(made).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^sk-vs-/),
    err: expect.stringMatching(/LITELLM_IDENTITY_SECRET/),
  });
  expect((await listed()).find(({ name }) => name === "per user")).toMatchObject({
    identityRequired: true,
    stores: null,
  });
  expect(await checked()).toMatchObject({ status: "warn", message: expect.stringMatching(/^1 key .* refuses/) });
  expect(await checked({ LITELLM_IDENTITY_SECRET: "x".repeat(32) })).toMatchObject({ status: "ok" });
  expect((await keys("list")).out).toMatch(/\tper user\t.{4}\twrite\tthe user\tall\t/);
});

test.each([
  [["create", "a"], /--scope/],
  [["create", "a\nb", "--scope", "read"], /1 to 100 letters/],
  [["create", "a", "--scope", "root"], /search, read, write, admin/],
  [["create", "a", "--scope", "admin", "--store", "vs_1"], /cannot be limited/],
  [["create", "a", "--scope", "read", "--expires-after-days", "3651"], /at most 3650/],
  [["create", "a", "--scope", "admin", "--identity-required"], /not for the scope admin/],
  [["create", "a", "--scope", "read", "--identity-required", "--store", "vs_1"], /what the user may see/],
  [["rotate", "key_x"], /No key found with id 'key_x'/],
  [["rotate", "key_x", "--overlap-seconds", "9999999"], /30 days/],
  [["revoke", "key_x"], /No key found with id 'key_x'/],
])("%j is refused with a sentence", async (args, message) => {
  expect(await keys(...args)).toMatchObject({ code: 1, out: "", err: expect.stringMatching(message) });
});
