import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import request from "supertest";
import { ingestNext } from "../../../src/core/files/ingest.js";
import { removeLeft } from "../../../src/core/stores/leftChunks.js";
import { portion } from "../../../src/core/stores/removal.js";
import { type TestService, startService } from "../../support/service.js";
import { testKey } from "../../support/settings.js";
import { createStore } from "../../support/stores.js";
import { importInto, sourceOf, transferRow } from "../../support/transfer.js";

/** Rows that are written while the chunks of a removed file are still there: none is lost once it is acknowledged. */

const never = new AbortController().signal;
const count = portion + 500;
const text = Array.from({ length: count }, (_, i) => String(i).padStart(10, "0")).join("");

interface Row {
  id: string;
  content: string;
  metadata: Record<string, unknown>;
}
let service: TestService;
let store: string;
let fileId: string;
/** Chunks of the file, as they were before it was removed: those that are removed last. */
let chunks: Row[];
/** How many changes of the engine succeed before it fails. */
let changesLeft = Infinity;

const path = (rest: string) => `/v1/vector_stores/${store}/${rest}`;
beforeEach(async () => {
  service = await startService();
  service.deps.wakeIngestion = () => undefined;
  const { engine } = service.deps;
  service.deps.engine = {
    ...engine,
    write: (change, bounds) => {
      if (changesLeft === 0) throw new Error("the process is gone");
      changesLeft -= 1;
      return engine.write(change, bounds);
    },
  };
  store = await createStore(service);
  const sent = request(service.url)
    .post(path("upload"))
    .set("authorization", `Bearer ${testKey}`)
    .set("prefer", "respond-async")
    .field("chunk_size", "10")
    .field("chunk_overlap", "0");
  fileId = ((await sent.attach("file", Buffer.from(text), "large.txt").expect(202)).body as { id: string }).id;
  await ingestNext(service.deps, "worker", never);
  const page = (await service.get(path("embeddings?limit=20&order=desc"))).body as { data: Row[] };
  chunks = page.data.map(({ id, content, metadata }) => ({ id, content, metadata }));
  // The change that hides the file, and one portion.
  changesLeft = 2;
  await service.delete(`/v1/files/${fileId}`).expect(200);
  changesLeft = Infinity;
  expect(await leftOver()).toBe(count - portion);
});
afterEach(() => service.close());

const leftOver = async () =>
  (
    await service.database.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM embeddings WHERE metadata ->> 'file_id' = '${fileId}'`,
    )
  )[0]?.n;
const write = (rows: readonly object[], onConflict: string) =>
  service.post(path(`embeddings/batch?on_conflict=${onConflict}`), { embeddings: rows, return: "count" });
/** What the store has once everything that was left is removed. */
async function stored(): Promise<Row[]> {
  await removeLeft(service.deps, {});
  return ((await service.get(path("embeddings?limit=100&order=desc"))).body as { data: Row[] }).data;
}

describe("rows of a file whose chunks are being removed", () => {
  test.each(["error", "skip", "replace"])("are new with on_conflict=%s", async (onConflict) => {
    const answer = await write(chunks, onConflict);
    expect([answer.status, answer.body]).toMatchObject([200, { added: chunks.length, duplicates: 0 }]);
    await service.get(path(`embeddings/${chunks[0]?.id ?? ""}`)).expect(200);
    expect(await stored()).toMatchObject(chunks);
    expect((await service.get(`/v1/vector_stores/${store}`)).body).toMatchObject({
      file_counts: { completed: chunks.length },
    });
  });

  test.each(["error", "skip", "replace"])("are new with other content and on_conflict=%s", async (onConflict) => {
    const changed = chunks.map(({ id, content }, i) => ({
      id,
      content: `new ${content}`,
      metadata: i % 2 === 0 ? { file_id: fileId } : { own: true },
    }));
    expect((await write(changed, onConflict)).body).toMatchObject({ added: chunks.length, duplicates: 0 });
    expect(await stored()).toMatchObject(changed);
  });

  test("are new in an import", async () => {
    const rows = chunks.map(({ id, content, metadata }, n) =>
      transferRow(n, { id, content, metadata: JSON.stringify(metadata), storeId: store, at: id, key: id }),
    );
    const done = await importInto(service, sourceOf(rows));
    expect(done).toMatchObject({ verified: true, counts: { added: chunks.length, duplicates: 0 } });
    expect(await stored()).toMatchObject(chunks);
  });
});

describe("a row that names such a file", () => {
  test("is found at once", async () => {
    const row = { id: "own", content: "a row", metadata: { file_id: fileId } };
    expect((await write([row], "error")).body).toMatchObject({ added: 1 });
    await service.get(path("embeddings/own")).expect(200);
    expect(await stored()).toMatchObject([row]);
  });

  test("is found at once, if only its metadata has changed", async () => {
    expect((await write([{ id: "own", content: "a row" }], "error")).status).toBe(200);
    await service.patch(path("embeddings/own"), { metadata: { file_id: fileId } }).expect(200);
    await service.get(path("embeddings/own")).expect(200);
  });

  test("is refused for the moment, if the chunks are not removed in time", async () => {
    const { engine } = service.deps;
    const before = await leftOver();
    // As if another process added what is removed.
    service.deps.engine = {
      ...engine,
      write: async (change, bounds) => {
        const result = await engine.write(change, bounds);
        return typeof result === "number" ? (portion as typeof result) : result;
      },
    };
    const answer = await write([{ id: "own", content: "a row", metadata: { file_id: fileId } }], "error");
    expect([answer.status, answer.headers["retry-after"]]).toEqual([503, "1"]);
    expect(answer.body).toMatchObject({ error: { code: "being_removed", message: expect.stringContaining(fileId) } });
    expect(before).toBeGreaterThan(0);
    expect(await leftOver()).toBe(0);
    service.deps.engine = engine;
    expect(await stored()).toEqual([]);
  });

  test("elsewhere, or rows with other ids here, do not wait", async () => {
    const before = await leftOver();
    expect((await write([{ id: "own", content: "a row", metadata: { file_id: "file-other" } }], "error")).status).toBe(
      200,
    );
    expect(await leftOver()).toBe(before);
  });
});
