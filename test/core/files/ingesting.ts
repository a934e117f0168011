import { afterEach, beforeEach } from "@jest/globals";
import request from "supertest";
import { ingestNext } from "../../../src/core/files/ingest.js";
import { type Asked, failure } from "../../litellm/support.js";
import { type FakeProxy, startFakeProxy } from "../../support/fakeProxy.js";
import { type TestService, startService } from "../../support/service.js";
import { bodyOf, createStore } from "../../support/stores.js";
import { testKey } from "../../support/settings.js";

/** Tests of ingestion that call the worker's functions themselves, with a fake proxy of their own for each. */
export interface Here {
  proxy: FakeProxy;
  service: TestService;
  store: string;
}

/** Starts what a test needs before it, and ends it afterwards. */
export function eachTest(here: Here): void {
  beforeEach(async () => {
    here.proxy = await startFakeProxy();
    here.service = await startService({ environment: { ...here.proxy.environment, EMBEDDING__BATCH_SIZE: "4" } });
    here.service.deps.wakeIngestion = () => undefined;
    here.store = await createStore(here.service);
  });
  afterEach(async () => {
    await here.service.close();
    await here.proxy[Symbol.asyncDispose]();
  });
}

/** Set before each test. */
export const here = {} as Here;

export const never = new AbortController().signal;
export const work = (stopping = never, ending = stopping) => ingestNext(here.service.deps, "worker", stopping, ending);
export const letTimePass = () =>
  here.service.database.exec("UPDATE vector_store_files SET lease_until = now() - interval '1 s', run_after = now()");
export const inputs = ({ body }: Asked) => [body.input].flat();

export async function upload(content: string, fields: Record<string, string> = {}): Promise<string> {
  const sent = request(here.service.url)
    .post(`/v1/vector_stores/${here.store}/upload`)
    .set("authorization", `Bearer ${testKey}`)
    .set("prefer", "respond-async");
  for (const [field, value] of Object.entries(fields)) void sent.field(field, value);
  const answered = await sent.attach("file", Buffer.from(content), "doc.txt").expect(202);
  return (answered.body as { id: string }).id;
}
/** Attaches a file as OpenAI's clients do, cut by tokens. */
export async function attach(content: string, strategy?: object): Promise<string> {
  const sent = await request(here.service.url)
    .post("/v1/files")
    .set("authorization", `Bearer ${testKey}`)
    .field("purpose", "assistants")
    .attach("file", Buffer.from(content), "doc.txt")
    .expect(200);
  const { id } = sent.body as { id: string };
  // The answer waits 2 s for a worker, which these tests start only later.
  void here.service.post(`/v1/vector_stores/${here.store}/files`, { file_id: id, chunking_strategy: strategy }).then(
    () => undefined,
    () => undefined, // The service stops before it has answered.
  );
  for (;;) {
    const found = await here.service.database.query(`SELECT 1 FROM vector_store_files WHERE file_id = '${id}'`);
    if (found.length > 0) return id;
    // The embedded database answers without leaving the event loop's turn, in which no request would arrive.
    await new Promise((resolve) => setImmediate(resolve));
  }
}
export interface Seen {
  status: string;
  chunks: number;
  progress: { waiting_for?: string };
  last_error: { code: string; message: string } | null;
}
export const look = async (id: string) =>
  (await bodyOf(here.service.get(`/v1/vector_stores/${here.store}/files/${id}`).expect(200))) as Seen;
/** The file's chunks in their order. */
export const chunks = async (id: string) =>
  here.service.database.query<{ content: string; n: number }>(
    `SELECT content, (metadata ->> 'chunk_index')::int AS n FROM embeddings WHERE metadata ->> 'file_id' = '${id}' ORDER BY 2`,
  );

export const words = (count: number) => Array.from({ length: count }, (_, i) => `word${i}`).join(" ");
export const tooLong = failure(500, "input is too large to process. increase the physical batch size");
/** As llama.cpp does, for texts of more than so many characters. */
export const refuseOver = (most: number) => {
  here.proxy.answers.embeddings = (asked) => (inputs(asked).some((text) => text.length > most) ? tooLong : null);
};
export const paragraphs = (count: number) =>
  Array.from({ length: count }, (_, i) => `Paragraph ${i} speaks of subject${i}. `.repeat(5).trim());
