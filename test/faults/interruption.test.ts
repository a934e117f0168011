import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { request } from "node:http";
import { testDimensions, testKey } from "../support/settings.js";
import { testVector } from "../support/vectors.js";
import { call, createStore, readCounts, readRows, until } from "../support/httpClient.js";
import { type ServerData, createServerData } from "../support/serverData.js";
import { type Program, type ServerProcess, compileProgram } from "../support/serverProcess.js";

let program: Program;
let data: ServerData;
beforeAll(async () => {
  [program, data] = await Promise.all([compileProgram(), createServerData()]);
});
afterAll(async () => {
  await program.remove();
  await data.remove();
});

async function kill({ child, exited }: ServerProcess): Promise<void> {
  child.kill("SIGKILL");
  expect(await exited).toEqual({ code: null, signal: "SIGKILL" });
}

/** Contents of different lengths and bytes per character, so that a wrong sum of bytes shows. */
const row = (id: string, n: number, metadata: object) => ({
  id,
  content: `${id} ${"ü".repeat(n % 40)}`,
  embedding: testVector(n + 1, testDimensions),
  metadata,
});
const bytesOf = (rows: readonly { content: string }[]) =>
  rows.reduce((sum, each) => sum + Buffer.byteLength(each.content), 0);

describe("a server killed with SIGKILL", () => {
  const rounds = 3;
  const clients = 4;

  /** Batch sizes by client: three of 100 rows, and one whose batches take several statements. */
  const sizeOf = (batch: number) => (batch % clients === 3 ? 1300 : 100);
  const batchRows = (batch: number) =>
    Array.from({ length: sizeOf(batch) }, (_, i) =>
      row(`b${String(batch).padStart(6, "0")}-${String(i).padStart(4, "0")}`, i, { batch }),
    );

  test(`during batch inserts, ${rounds} times: every acknowledged batch is complete, none is half stored`, async () => {
    let server = await program.start(data.environment);
    const store = await createStore(server.url);
    const path = `/v1/vector_stores/${store}/embeddings/batch`;
    const post = (url: string, batch: number) =>
      call<{ duplicates: number }>(url, "POST", path, { embeddings: batchRows(batch), return: "count" });
    const acknowledged = new Set<number>();
    const interrupted = new Set<number>();

    for (let round = 0; round < rounds; round += 1) {
      const { url } = server;
      let killed = false;
      const isKilled = () => killed;
      const enough = acknowledged.size + 4 + Math.floor(Math.random() * 12);
      const client = async (number: number) => {
        for (let batch = round * 100_000 + number; !isKilled(); batch += clients) {
          try {
            const { status } = await post(url, batch);
            expect(status).toBe(200);
            acknowledged.add(batch);
          } catch (error) {
            // Before the kill every batch must succeed.
            if (!isKilled()) throw error;
            interrupted.add(batch);
          }
        }
      };
      const running = Promise.all(Array.from({ length: clients }, (_, i) => client(i)));
      await Promise.race([running, until("batches", () => (acknowledged.size >= enough ? true : null), 60_000)]);
      killed = true;
      await kill(server);
      await running;

      server = await program.start(data.environment);
      const rows = await readRows(server.url, store);
      const found = new Map<number, number>();
      for (const { metadata } of rows) found.set(Number(metadata.batch), (found.get(Number(metadata.batch)) ?? 0) + 1);
      for (const batch of acknowledged) expect([batch, found.get(batch)]).toEqual([batch, sizeOf(batch)]);
      for (const [batch, count] of found) {
        expect([batch, count]).toEqual([batch, sizeOf(batch)]);
        expect(acknowledged.has(batch) || interrupted.has(batch)).toBe(true);
      }
      expect(await readCounts(server.url, store)).toEqual({ rows: rows.length, bytes: bytesOf(rows) });
    }

    expect(interrupted.size).toBeGreaterThan(0);
    // The interrupted client repeats its batch, as after any failure.
    for (const batch of interrupted) expect((await post(server.url, batch)).status).toBe(200);
    const all = [...acknowledged, ...interrupted].reduce((sum, batch) => sum + sizeOf(batch), 0);
    expect(await readRows(server.url, store)).toHaveLength(all);
    expect((await readCounts(server.url, store)).rows).toBe(all);
    await kill(server);
  });

  test("in the middle of an NDJSON upload: whole portions are stored, and repeating the upload gives exact counts", async () => {
    const total = 4200;
    const sentBeforeKill = 3250;
    const chunk = 500;
    const lines = Array.from({ length: total }, (_, i) => row(`n${String(i).padStart(6, "0")}`, i, { i }));
    const upload = (url: string, store: string, onLine: (line: Record<string, unknown>) => void) => {
      const sent = request(`${url}/v1/vector_stores/${store}/embeddings/batch`, {
        method: "POST",
        agent: false,
        headers: { authorization: `Bearer ${testKey}`, "content-type": "application/x-ndjson" },
      });
      const ended = new Promise<void>((resolve) => {
        sent.on("error", () => {
          resolve();
        });
        sent.on("response", (response) => {
          let pending = "";
          response.setEncoding("utf8").on("data", (text: string) => {
            const parts = (pending + text).split("\n");
            pending = parts.pop() ?? "";
            for (const part of parts) onLine(JSON.parse(part) as Record<string, unknown>);
          });
          response.on("error", () => {
            resolve();
          });
          response.on("end", resolve);
        });
      });
      const write = (rows: readonly object[]) => sent.write(rows.map((each) => `${JSON.stringify(each)}\n`).join(""));
      return { sent, ended, write };
    };

    let server = await program.start(data.environment);
    const store = await createStore(server.url);
    let reported = 0;
    const first = upload(server.url, store, (line) => {
      reported = Number(line.count);
    });
    first.write(lines.slice(0, sentBeforeKill));
    await until("three chunks", () => (reported >= 3 * chunk ? true : null));
    await kill(server);
    await first.ended;

    server = await program.start(data.environment);
    const kept = await readRows(server.url, store);
    expect(kept.length % chunk).toBe(0);
    expect(kept.length).toBeGreaterThanOrEqual(reported);
    expect(kept.length).toBeLessThan(sentBeforeKill);
    expect(kept.map((each) => each.id)).toEqual(lines.slice(0, kept.length).map((each) => each.id));
    expect(await readCounts(server.url, store)).toEqual({ rows: kept.length, bytes: bytesOf(kept) });

    const results: Record<string, unknown>[] = [];
    const again = upload(server.url, store, (line) => results.push(line));
    again.write(lines);
    again.sent.end();
    await again.ended;
    expect(results.at(-1)).toMatchObject({ object: "embedding.batch", count: total, duplicates: kept.length });
    const rows = await readRows(server.url, store);
    expect(rows.map((each) => each.content)).toEqual(lines.map((each) => each.content));
    expect(await readCounts(server.url, store)).toEqual({ rows: total, bytes: bytesOf(lines) });
    await kill(server);
  });
});
