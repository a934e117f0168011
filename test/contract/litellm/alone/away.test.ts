import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { startRelay } from "./relay.js";
import { databaseUrl, embeddingModel, proxy, until } from "../support.js";

/**
 * LiteLLM, or its database, is stopped while keys are used. Other suites need LiteLLM, so this one runs without them.
 */

const root = proxy.baseURL.replace(/\/v1$/, "");
const makeKey = async (user: string) =>
  (await proxy.post<{ key: string }>(`${root}/key/generate`, { body: { user_id: user } })).key;
const masterKey = process.env.LITELLM_KEY ?? "";
const users = ["ann", "ben", "cem"];
const run = Date.now().toString(36);

describe("while LiteLLM is away", () => {
  let service: ChildProcess;
  let url: string;
  let relay: Awaited<ReturnType<typeof startRelay>>;
  let admin: pg.Client;
  const keys: string[] = [];
  const databases = { ours: `away_${run}`, litellm: "litellm" };

  beforeAll(async () => {
    admin = new pg.Client({ connectionString: databaseUrl });
    await admin.connect();
    await admin.query(`CREATE DATABASE ${databases.ours}`);
    relay = await startRelay(root);
    const own = new URL(databaseUrl);
    own.pathname = `/${databases.ours}`;
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    service = spawn(process.execPath, ["dist/cli/main.js", "serve"], {
      stdio: "ignore",
      env: {
        ...{ PATH: process.env.PATH, HOST: "127.0.0.1", PORT: String(port), SERVER_API_KEY: "sk-away" },
        ...{ DATABASE_URL: own.toString(), DATA_DIR: await mkdtemp(join(tmpdir(), "away-")) },
        ...{ LITELLM_PROXY_URL: relay.url, LITELLM_MASTER_KEY: masterKey, SHUTDOWN_DELAY_SECONDS: "0" },
        ...{ KEY_CACHE_SECONDS: "1", KEY_GRACE_SECONDS: "120" },
        ...{ EMBEDDING__MODEL: embeddingModel, EMBEDDING__DIMENSIONS: "384" },
      },
    });
    await until(async () => (await status("/readyz", "")) === 200);
    for (const user of users) keys.push(await makeKey(`${user}-${run}`));
  });
  afterAll(async () => {
    service.kill();
    await once(service, "exit");
    await relay.close().catch(() => undefined);
    await admin.query(`DROP DATABASE ${databases.ours} WITH (FORCE)`);
    await admin.end();
  });

  const ask = (path: string, key: string, body?: object) =>
    fetch(url + path, {
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      ...(body !== undefined && { method: "POST", body: JSON.stringify(body) }),
    });
  const status = async (path: string, key: string) => {
    try {
      return (await ask(path, key)).status;
    } catch {
      return 0;
    }
  };
  /** How often LiteLLM was asked about keys in vain. */
  const failures = async () => {
    const text = await (await ask("/metrics", "sk-away")).text();
    const counts = text.matchAll(/^vector_store_key_lookups_total\{status="(?!200)[^"]*"\} (\d+)$/gm);
    return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
  };

  /** Four clients list stores with known keys until `stop` is called. @returns the statuses that were seen, counted */
  function load() {
    const seen: Record<number, number> = {};
    let running = true;
    const client = async (turn: number) => {
      for (let i = turn; running; i += 1) {
        const code = await status("/v1/vector_stores?limit=1", keys[i % keys.length] ?? "");
        seen[code] = (seen[code] ?? 0) + 1;
      }
    };
    const clients = [0, 1, 2, 3].map(client);
    return async () => {
      running = false;
      await Promise.all(clients);
      return seen;
    };
  }

  const ways = {
    "its process": { stop: () => relay.close(), start: () => relay.open() },
    "its database": {
      stop: async () => {
        await admin.query(`ALTER DATABASE ${databases.litellm} ALLOW_CONNECTIONS false`);
        await admin.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", [
          databases.litellm,
        ]);
      },
      start: async () => {
        await admin.query(`ALTER DATABASE ${databases.litellm} ALLOW_CONNECTIONS true`);
      },
    },
  };

  test.each(Object.keys(ways) as (keyof typeof ways)[])("%s: known keys go on, new ones get 503", async (what) => {
    const fresh = await makeKey(`new-${run}`);
    const stopLoad = load();
    for (const key of keys) await until(async () => (await status("/v1/vector_stores", key)) === 200);
    const before = await failures();
    await ways[what].stop();
    try {
      // Until the known keys are older than what is remembered of them, and were asked for again in vain.
      await until(async () => (await failures()) >= before + 2 * keys.length);
      for (let i = 0; i < 3; i += 1) {
        const refused = await ask("/v1/vector_stores", fresh);
        expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, expect.stringMatching(/^\d+$/)]);
        expect(await refused.json()).toMatchObject({ error: { code: "key_check_failed" } });
      }
    } finally {
      await ways[what].start();
    }
    const returned = performance.now();
    await until(async () => (await status("/v1/vector_stores", fresh)) === 200);
    for (const key of [...keys, fresh]) {
      const made = await ask("/v1/vector_stores", key, { name: "again", embedding_model: embeddingModel });
      const { id } = (await made.json()) as { id: string };
      await until(async () => {
        const answer = await ask(`/v1/vector_stores/${id}/search`, key, { query: "is it back?" });
        await answer.arrayBuffer();
        return answer.status === 200;
      });
    }
    expect((performance.now() - returned) / 1000).toBeLessThan(5);
    expect(Object.keys(await stopLoad())).toEqual(["200"]);
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}
