import { describe, expect, test } from "@jest/globals";
import { hash } from "node:crypto";
import { createDirectory } from "../../src/litellm/directory.js";
import { createMetrics } from "../../src/process/metrics.js";
import { Secret } from "../../src/words/secret.js";
import { type Answer, errorOf, startProvider } from "./support.js";

/** Answers of LiteLLM 1.106.2 in database mode, as observed. */

const key = new Secret("sk-user");
const keyHash = hash("sha256", "sk-user", "hex");
const master = new Secret("sk-master");
const info = (more: object = {}) => ({
  json: {
    key: keyHash,
    info: {
      user_id: "ann",
      team_id: null,
      models: [],
      blocked: null,
      expires: null,
      object_permission: null,
      status: "active",
      ...more,
    },
  },
});
const failure = (status: number, type: string, message = ""): Answer => ({
  status,
  json: { error: { message, type, param: "None", code: String(status) } },
});

const lookUp = async (answer: Answer, masterKey: Secret | null = null) => {
  await using provider = await startProvider(() => answer);
  const found = createDirectory(provider.url, masterKey, createMetrics()).key(key, keyHash);
  return await found.catch((error: unknown) => Promise.reject(error as Error));
};

describe("a key", () => {
  test("its user, team, end and stores are read", async () => {
    const facts = await lookUp(
      info({
        team_id: "red",
        expires: "2099-01-02T03:04:05.678000",
        object_permission: { vector_stores: ["vs_1"], mcp_servers: [] },
      }),
    );
    const expiresAt = Date.parse("2099-01-02T03:04:05.678Z");
    expect(facts).toEqual({ userId: "ann", teamId: "red", expiresAt, vectorStores: ["vs_1"] });
  });

  test("the team of LiteLLM's own web page is none", async () => {
    expect(await lookUp(info({ team_id: "litellm-dashboard" }))).toMatchObject({ userId: "ann", teamId: null });
  });

  test("the key asks about itself; or the master asks, by the key's hash", async () => {
    await using provider = await startProvider(() => info());
    await createDirectory(provider.url, null, createMetrics()).key(key, keyHash);
    await createDirectory(provider.url, master, createMetrics()).key(key, keyHash);
    expect(provider.asked.map(({ path, headers }) => [path, headers.authorization])).toEqual([
      ["/key/info", "Bearer sk-user"],
      [`/key/info?key=${keyHash}`, "Bearer sk-master"],
    ]);
  });

  test.each<[string, Answer]>([
    ["unknown or deleted", failure(401, "token_not_found_in_db", "Invalid proxy server token passed")],
    ["expired", failure(401, "expired_key", "Authentication Error - Expired Key")],
    ["blocked", failure(401, "auth_error", "Authentication Error, Key is blocked. Update via `/key/unblock`")],
    ["of a blocked team", failure(401, "auth_error", "Authentication Error, Team=red is blocked.")],
    ["no LiteLLM key", failure(401, "auth_error", "Invalid API Key, expected to start with 'sk-'.")],
    ["asked about at another provider", { status: 404, json: { detail: "Not Found" } }],
    ["blocked, though LiteLLM remembers it as good", info({ blocked: true })],
    ["over, though LiteLLM remembers it as good", info({ expires: "2020-01-01T00:00:00Z" })],
  ])("that is %s is 401", async (_name, answer) => {
    const error = await errorOf(lookUp(answer));
    expect(error).toMatchObject({ status: 401, message: "Incorrect API key provided." });
  });

  test.each<[string, Answer]>([
    ["unknown", failure(404, "not_found_error", "Key not found in database")],
    ["revoked", info({ status: "revoked" })],
    ["deleted", info({ status: "deleted" })],
  ])("that the master finds %s is 401", async (_name, answer) => {
    expect(await errorOf(lookUp(answer, master))).toMatchObject({ status: 401 });
  });

  test("of type llm_api may not ask about itself: 403 says so, and the master can", async () => {
    const answer = { status: 403, json: { detail: "Virtual key is not allowed to call this route. Only allowed: …" } };
    expect(await errorOf(lookUp(answer))).toMatchObject({ status: 403, code: "key_not_readable" });
    expect(await lookUp(info(), master)).toMatchObject({ userId: "ann" });
  });

  test.each<[string, Answer, Secret | null]>([
    ["no database", failure(503, "no_db_connection"), null],
    ["a 401 because of the database", failure(401, "auth_error", "Error in external connector (id 7)"), null],
    ["a 401 without a body", { status: 401, text: "" }, null],
    ["a 401 with FastAPI's body", { status: 401, json: { detail: "Unauthorized" } }, null],
    ["a 500", failure(500, "internal_server_error"), null],
    ["a 429", failure(429, "throttling_error"), null],
    ["another 403", failure(403, "internal_server_error"), null],
    ["a 404 of another server, to the master", { status: 404, json: { detail: "Not Found" } }, master],
    ["a 401 to the master", failure(401, "token_not_found_in_db"), master],
    ["a page", { text: "<html>" }, null],
    ["an answer about another key", { json: { key: "f".repeat(64), info: {} } }, null],
    ["an answer without a key", { json: { info: {} } }, null],
    ["a list", { json: [] }, null],
    ["a redirect", { status: 302, headers: { location: "http://example.com/" }, text: "" }, null],
    ["a cut connection", "drop", null],
  ])("cannot be told from %s: 503", async (_name, answer, asker) => {
    const error = await errorOf(lookUp(answer, asker));
    expect(error).toMatchObject({ status: 503, code: "key_check_failed" });
    expect(JSON.stringify(error)).not.toMatch(/sk-|[0-9a-f]{64}/);
  });
});

test.each<[string, Answer, Secret | null]>([
  ["asked by the key", failure(400, "no_db_connection", "No connected db."), null],
  [
    "asked by the master",
    failure(500, "internal_server_error", "Database not connected. Connect a database to your proxy - https://docs"),
    master,
  ],
])("a LiteLLM without a database, %s, is named", async (_name, answer, asker) => {
  const error = await errorOf(lookUp(answer, asker));
  expect(error).toMatchObject({ status: 503, code: "key_check_failed" });
  expect(error.message).toContain("the LiteLLM proxy has no database");
});

describe("a team and a role", () => {
  const ask = async (answer: Answer, listed: Answer = answer) => {
    await using provider = await startProvider(({ path }) => (path.startsWith("/v2/team/list") ? listed : answer));
    const directory = createDirectory(provider.url, master, createMetrics());
    return {
      team: await directory.team("a&b", key).catch((error: unknown) => error),
      role: await directory.role("a&b", key).catch((error: unknown) => error),
      paths: provider.asked.map(({ path }) => path),
    };
  };

  test("are read by ids of any characters", async () => {
    const { team, role, paths } = await ask({
      json: { team_info: { blocked: true, object_permission: { vector_stores: ["vs_1"] } }, user_role: "proxy_admin" },
    });
    expect(team).toEqual({ blocked: true, vectorStores: ["vs_1"] });
    expect(role).toBe("proxy_admin");
    expect(paths).toEqual(["/team/info?team_id=a%26b", "/v2/user/info?user_id=a%26b"]);
  });

  test("a user that LiteLLM does not have has no role; a key of a team that it does not have is refused", async () => {
    const { team, role } = await ask(failure(404, "not_found_error"), { json: { teams: [], total: 0 } });
    expect(team).toMatchObject({ status: 401 });
    expect(role).toBeNull();
  });

  test("a team that LiteLLM misses because its database is away is not taken for gone", async () => {
    const missing = failure(404, "internal_server_error", "{'message': 'Team not found, passed team id: a&b.'}");
    for (const listed of [failure(500, "internal_server_error"), missing, { json: { teams: [{}], total: 1 } }]) {
      expect((await ask(missing, listed)).team).toMatchObject({ status: 503 });
    }
  });

  test("an outage is 503 for both", async () => {
    const { team, role } = await ask(failure(500, "internal_server_error"));
    expect([team, role]).toEqual([expect.objectContaining({ status: 503 }), expect.objectContaining({ status: 503 })]);
  });
});

test("at most eight look-ups are under way", async () => {
  let [open, most] = [0, 0];
  const waiting: (() => void)[] = [];
  await using provider = await startProvider(async () => {
    open += 1;
    most = Math.max(most, open);
    await new Promise<void>((resolve) => waiting.push(resolve));
    open -= 1;
    return info();
  });
  const directory = createDirectory(provider.url, master, createMetrics());
  const all = Array.from({ length: 30 }, () => directory.key(key, keyHash));
  for (let done = 0; done < 30;) {
    await provider.arrived(done + 1);
    done += 1;
    waiting.shift()?.();
  }
  await Promise.all(all);
  expect(most).toBeLessThanOrEqual(8);
});
