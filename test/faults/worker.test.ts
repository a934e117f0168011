import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { testKey } from "../support/settings.js";
import { call, createStore, until } from "../support/httpClient.js";
import { type ServerData, createServerData } from "../support/serverData.js";
import { type Program, compileProgram } from "../support/serverProcess.js";

let program: Program;
let data: ServerData;
beforeAll(async () => {
  [program, data] = await Promise.all([compileProgram(), createServerData()]);
});
afterAll(async () => {
  await program.remove();
  await data.remove();
});

/** Runs until the process gives up. @returns its sentence */
async function refusal(args: string[], environment: Record<string, string>): Promise<string> {
  const run = program.run({ SERVER_API_KEY: testKey, ...environment }, { args });
  expect(await run.exited).toEqual({ code: 1, signal: null });
  expect(run.stderr()).toMatch(/^vector-store: [^\n]+\n$/);
  return run.stderr();
}

describe("a worker that cannot work", () => {
  test("is refused on the embedded database, of which it touches nothing", async () => {
    const sentence = await refusal(["worker"], { DATA_DIR: "no-such-directory" });
    expect(sentence).toContain("A worker needs PostgreSQL (DATABASE_URL)");
  });

  test("is refused with INGEST_CONCURRENCY=0", async () => {
    const sentence = await refusal(["worker"], { DATABASE_URL: "postgresql://h/d", INGEST_CONCURRENCY: "0" });
    expect(sentence).toContain("INGEST_CONCURRENCY is 0, with which this worker would ingest nothing");
  });
});

(process.env.TEST_DATABASE_URL ? describe : describe.skip)("a server that ingests nothing, and a worker", () => {
  test("share a database: the worker ingests, has probes and metrics but no API, and drains on SIGTERM", async () => {
    const server = await program.start({ ...data.environment, INGEST_CONCURRENCY: "0" });
    const store = await createStore(server.url);
    const form = new FormData();
    form.set("purpose", "assistants");
    form.set("file", new Blob(["Returns are accepted within 30 days."]), "faq.txt");
    const sent = await fetch(`${server.url}/v1/files`, {
      method: "POST",
      headers: { authorization: `Bearer ${testKey}` },
      body: form,
    });
    const { id } = (await sent.json()) as { id: string };
    const files = `/v1/vector_stores/${store}/files`;
    expect((await call(server.url, "POST", files, { file_id: id })).status).toBe(200);
    const statusOf = async () => (await call<{ status: string }>(server.url, "GET", `${files}/${id}`)).body.status;
    expect(await statusOf()).toBe("in_progress");

    // A worker needs no key, and makes none.
    const worker = program.run(data.environment, { args: ["worker"] });
    const root = await worker.listening;
    await until("the worker to ingest the file", async () => ((await statusOf()) === "completed" ? true : null));
    const metrics = async (url: string) => (await fetch(`${url}/metrics`)).text();
    expect(await metrics(root)).toContain('vector_store_ingested_files_total{outcome="completed"} 1');
    expect(await metrics(server.url)).not.toContain('vector_store_ingested_files_total{outcome="completed"}');

    for (const path of ["/livez", "/readyz", "/health"]) expect((await call(root, "GET", path)).status).toBe(200);
    for (const path of ["/v1/vector_stores", "/docs", "/openapi.json", "/"]) {
      const { status, body } = await call(root, "GET", path);
      expect([path, status]).toEqual([path, 404]);
      expect(body).toMatchObject({ error: { code: "unknown_url" } });
    }
    worker.child.kill("SIGTERM");
    expect(await worker.exited).toEqual({ code: 0, signal: null });
    expect(worker.stdout()).toContain('"msg":"stopped"');
    expect((await call(server.url, "GET", "/readyz")).status).toBe(200);
  });
});
