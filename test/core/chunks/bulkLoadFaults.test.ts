import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { testDimensions } from "../../support/settings.js";
import { testVector } from "../../support/vectors.js";
import { type TestService, startService } from "../../support/service.js";
import {
  type Row,
  batchPath,
  bytesOf,
  countsOf,
  createStore,
  rowOf,
  rowsInTable,
  rowsOf,
} from "../../support/stores.js";
import { type Line, openUpload, upload } from "../../support/upload.js";

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

const linesOf = (rows: readonly object[]) => rows.map((row) => `${JSON.stringify(row)}\n`);
const send = (storeId: string, chunks: Iterable<Buffer | string>) => upload(service.url, batchPath(storeId), chunks);
const result = (count: number, duplicates = 0): Line => ({
  object: "embedding.batch",
  count,
  duplicates,
  created: expect.any(Number) as unknown as number,
});

describe("an interrupted upload", () => {
  test.each([0, 500])("after %d stored rows, the error reaches a sender that is still sending", async (stored) => {
    const storeId = await createStore(service);
    const open = openUpload(service.url, batchPath(storeId));
    const filler = `${JSON.stringify(rowOf(1, { content: "x".repeat(10_000) }))}\n`;
    for (const line of linesOf(rowsOf(stored))) await open.write(line);
    await open.write("{nonsense\n");
    // Far more than the buffers in between hold.
    for (let i = 0; i < 3000 && !open.over(); i += 1) await open.write(filler);
    open.end();
    const lines = await open.lines;
    expect(await open.status).toBe(stored === 0 ? 400 : 200);
    expect(lines.at(-1)?.error?.message.startsWith(`line ${String(stored + 1)}: `)).toBe(true);
    expect(await rowsInTable(service, storeId)).toBe(stored);
  });

  test("a sender that disconnects leaves only whole portions", async () => {
    const storeId = await createStore(service);
    const open = openUpload(service.url, batchPath(storeId));
    for (const line of linesOf(rowsOf(1300))) await open.write(line);
    await open.received(2);
    open.leave();
    const connections = () =>
      new Promise<number>((resolve, reject) => {
        service.server.getConnections((error, count) => {
          if (error) reject(error);
          else resolve(count);
        });
      });
    while ((await connections()) > 0) await new Promise((resolve) => setImmediate(resolve));
    // By this answer, the server would be done with any remaining rows.
    const after = await send(storeId, linesOf(rowsOf(1)));
    expect(after.lines.at(-1)).toEqual(result(1));
    expect(await rowsInTable(service, storeId)).toBe(1001);
    expect((await countsOf(service, storeId)).rows).toBe(1001);
  });

  test("a sender that reads only after it has sent everything still gets its answer", async () => {
    const storeId = await createStore(service);
    let read: () => void = () => undefined;
    const paused = new Promise<void>((resolve) => {
      read = resolve;
    });
    const open = openUpload(service.url, batchPath(storeId), { paused });
    for (const line of linesOf(rowsOf(3000))) await open.write(line);
    open.end();
    while ((await rowsInTable(service, storeId)) < 3000) await new Promise((resolve) => setImmediate(resolve));
    read();
    expect((await open.lines).at(-1)).toEqual(result(3000));
  });

  test("an upload with its own ids can continue from its count, or be sent again, and is exact either way", async () => {
    const rows: Row[] = rowsOf(1200, (seed) => ({ id: `resumed-${String(seed)}` }));
    const storeId = await createStore(service);
    const lines = linesOf(rows);
    const broken = await send(storeId, [...lines.slice(0, 800), "{nonsense\n"]);
    const { count } = broken.lines.at(-1) ?? {};
    expect(count).toBe(500);
    const resumed = await send(storeId, lines.slice(count));
    expect(resumed.lines.at(-1)).toEqual(result(700));
    const again = await send(storeId, lines);
    expect(again.lines.at(-1)).toEqual(result(1200, 1200));
    expect(again.lines[0]).toEqual({ object: "embedding.batch.progress", count: 500, duplicates: 500 });
    expect(await rowsInTable(service, storeId)).toBe(1200);
    expect(await countsOf(service, storeId)).toEqual({ rows: 1200, bytes: bytesOf(rows) });
    const base64 = Buffer.from(Float32Array.from(testVector(7, testDimensions)).buffer).toString("base64");
    const alike = await send(storeId, linesOf([{ ...rows[6], embedding: base64 }]));
    expect(alike.lines.at(-1)).toEqual(result(1, 1));
  });
});
