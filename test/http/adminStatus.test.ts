import { afterEach, describe, expect, test } from "@jest/globals";
import request from "supertest";
import { errorOf, send } from "./requests.js";
import { parsed, start as startService, stop } from "./sessionsSupport.js";
import { withDeps } from "./withDeps.js";

afterEach(stop);

interface Status {
  database: { status: string; kind: string; version: string | null };
  proxy: { status: string; url: string; database: string | null; error: string | null; circuit: string } | null;
  contents: {
    vector_stores: { count: number; rows: number; bytes: number };
    files: { count: number; bytes: number };
    attached_files: Record<string, number>;
    ingestion: Record<string, number>;
    sessions: number;
  } | null;
  indexing: { stores: Record<string, number> } | null;
}
interface Check {
  check: string;
  status: string;
  message: string;
  todo: string | null;
}

async function start(environment: Record<string, string> = {}) {
  const started = await startService({ environment });
  const { asMaster } = started;
  const status = async () => parsed(await asMaster("GET", "/admin/status")) as Status;
  const doctor = async (query = "") =>
    parsed(await asMaster("GET", `/admin/doctor${query}`)) as { ok: boolean; checks: Check[] };
  return { ...started, status, doctor };
}

describe("the status", () => {
  test("counts vector stores, files, the queue and sessions", async () => {
    const { service, ask, status } = await start({ INGEST_CONCURRENCY: "3" });
    // Files stay as they are.
    service.deps.wakeIngestion = () => undefined;
    const { id } = parsed(await ask("sk-ann", "POST", "/vector_stores", { name: "a" })) as { id: string };
    const row = { content: "four", embedding: [1, 0, 0, 0, 0, 0, 0, 0] };
    await ask("sk-ann", "POST", `/vector_stores/${id}/embeddings`, row);
    for (let i = 0; i < 6; i += 1) {
      const file = await request(service.url)
        .post("/v1/files")
        .set("authorization", "Bearer sk-ann")
        .field("purpose", "assistants")
        .attach("file", Buffer.from(`text ${i}`), `${i}.txt`);
      await ask("sk-ann", "POST", `/vector_stores/${id}/files`, { file_id: (file.body as { id: string }).id });
    }
    await service.database.exec(`
      WITH numbered AS (SELECT file_id, row_number() OVER (ORDER BY file_id) AS n FROM vector_store_files)
      UPDATE vector_store_files AS f SET
        status = (ARRAY['in_progress', 'in_progress', 'completed', 'failed', 'failed', 'cancelled'])[n],
        created_at = CASE WHEN n = 4 THEN now() - interval '2 days' ELSE now() - interval '1 minute' END,
        lease_until = CASE WHEN n = 2 THEN now() + interval '1 minute' END
      FROM numbered WHERE f.file_id = numbered.file_id`);
    const { contents, database, indexing } = await status();
    expect(contents).toEqual({
      vector_stores: { count: 1, rows: 1, bytes: 4 },
      files: { count: 6, bytes: 36 },
      attached_files: { in_progress: 2, completed: 1, failed: 2, cancelled: 1, failed_last_day: 1 },
      ingestion: { waiting: 1, running: 1, postponed: 0, oldest_seconds: expect.any(Number), concurrency: 3 },
      sessions: 0,
    });
    expect(Math.abs((contents?.ingestion.oldest_seconds ?? 0) - 60)).toBeLessThan(20);
    expect(database).toMatchObject({ status: "healthy", kind: service.database.kind });
    expect(indexing?.stores.none).toBe(1);
  });

  test("says how the proxy is", async () => {
    const { status, litellm } = await start();
    const url = litellm.environment.EMBEDDING__BASE_URL ?? "";
    expect((await status()).proxy).toMatchObject({ url, circuit: "closed", error: null });
    await litellm[Symbol.asyncDispose]();
    expect((await status()).proxy).toMatchObject({ status: "unhealthy", error: "ECONNREFUSED" });
  });

  test("comes without counts while the database does not answer", async () => {
    const { service, litellm } = await start();
    const away = () => Promise.reject(new Error("the database is away"));
    await withDeps(service, { db: { ...service.db, reading: away, ping: away } }, async (url) => {
      const answer = await send(url, { method: "GET", path: "/v1/admin/status", key: litellm.masterKey });
      expect(answer.status).toBe(200);
      expect(JSON.parse(answer.text)).toMatchObject({ contents: null, database: { status: "unhealthy" } });
    });
  });
});

describe("the settings", () => {
  test("are listed without secrets, also for a viewer", async () => {
    const { ask, litellm } = await start({ SERVER_API_KEY: "sk-hidden-server-key", LOG_LEVEL: "silent" });
    const answer = await ask("sk-vera", "GET", "/admin/settings");
    const { data } = parsed(answer) as {
      data: { name: string; value: string | null; given: boolean; secret: boolean }[];
    };
    const of = (name: string) => data.find((setting) => setting.name === name);
    expect(of("SERVER_API_KEY")).toEqual({
      object: "setting",
      name: "SERVER_API_KEY",
      value: null,
      given: true,
      secret: true,
    });
    expect(of("DATABASE_PASSWORD")).toMatchObject({ value: null, given: false, secret: true });
    expect(of("LOG_LEVEL")).toMatchObject({ value: "silent", given: true, secret: false });
    for (const secret of ["sk-hidden-server-key", litellm.masterKey]) expect(answer.text).not.toContain(secret);
  });
});

describe("the doctor", () => {
  test("finds inside the server what the command finds", async () => {
    const { doctor, service } = await start();
    const { ok, checks } = await doctor();
    const by = Object.fromEntries(checks.map((each) => [each.check, each]));
    expect(checks.map(({ check }) => check)).toEqual(
      expect.arrayContaining([
        "settings",
        "key",
        "database",
        "pgvector",
        "migrations",
        "tables",
        "dimensions",
        "contents",
      ]),
    );
    expect(by.migrations).toMatchObject({ status: "ok", todo: null });
    expect(by.contents?.message).toBe("0 vector stores, 0 embeddings");
    expect(by.proxy?.message).toContain(service.config.embedding.baseUrl);
    expect(ok).toBe(checks.every(({ status }) => status !== "fail"));
    expect(by.embedding).toBeUndefined();
  });

  test("says what is wrong, and what to do", async () => {
    const { doctor, service, litellm } = await start({ INGEST_CONCURRENCY: "2", CHAT_MODEL: "gone" });
    await service.database.exec(`INSERT INTO embeddings (id, vector_store_id, content, embedding)
      SELECT 'x', id, 'a', '[1,0,0,0,0,0,0,0]' FROM vector_stores`);
    const before = await doctor();
    expect(before.checks.find(({ check }) => check === "chat model")).toMatchObject({
      status: "warn",
      message: 'the proxy does not list "gone"',
      todo: expect.stringContaining("CHAT_MODEL"),
    });
    await litellm[Symbol.asyncDispose]();
    const { ok, checks } = await doctor();
    expect(ok).toBe(false);
    expect(checks.find(({ check }) => check === "proxy")).toMatchObject({ status: "fail", message: /ECONNREFUSED/ });
  });

  test("embeds a text only when it is asked to, by whoever may spend", async () => {
    const { doctor, ask, litellm } = await start();
    const calls = () => litellm.asked.filter(({ path }) => path === "/v1/embeddings").length;
    await doctor("?probe=false");
    expect(calls()).toBe(0);
    const { checks } = await doctor("?probe=true");
    expect(checks.at(-1)).toMatchObject({ check: "embedding", status: "ok" });
    expect(calls()).toBe(1);
    expect((await ask("sk-vera", "GET", "/admin/doctor")).status).toBe(200);
    const refused = await ask("sk-vera", "GET", "/admin/doctor?probe=true");
    expect([refused.status, errorOf(refused).message]).toEqual([403, "probe: this key may not spend on a test."]);
    expect(calls()).toBe(1);
  });

  test("tells doubts about the environment that the start has warned of", async () => {
    const { service, litellm } = await start();
    const doubts = ["EMBEDING__MODEL is not a setting and is ignored; EMBEDDING__MODEL is one"];
    await withDeps(service, { doubts }, async (url) => {
      const answer = await send(url, { method: "GET", path: "/v1/admin/doctor", key: litellm.masterKey });
      const { checks } = JSON.parse(answer.text) as { checks: Check[] };
      expect(checks[0]).toMatchObject({ check: "settings", status: "warn", message: doubts[0] });
    });
  });
});
