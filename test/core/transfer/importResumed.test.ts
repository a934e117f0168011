import { describe, expect, test } from "@jest/globals";
import { testVector } from "../../support/vectors.js";
import { batchPath, countsOf, createStore, rowsInTable, rowsPath } from "../../support/stores.js";
import { importInto, sourceOf } from "../../support/transfer.js";
import { service, rows, bytes } from "./importSupport.js";

describe("an interrupted import", () => {
  const broken = (at: number) => (from: number) => {
    if (from === at) throw new Error("the source broke");
  };

  test("continues where it stopped: every row is stored once, and counts cover both runs", async () => {
    const store = await createStore(service);
    const all = rows(200);
    await expect(importInto(service, sourceOf(all, { onPage: broken(120) }), { store })).rejects.toThrow(
      "the source broke",
    );
    const read: number[] = [];
    const result = await importInto(service, sourceOf(all, { onPage: (from) => read.push(from) }), { store });
    expect(read[0]).toBe(120);
    expect(result).toMatchObject({
      finished: true,
      resumedAfter: 120,
      counts: { read: 200, added: 200, duplicates: 0 },
    });
    expect(result.counts.storedChecksum).toBe(result.counts.readChecksum);
    expect(await countsOf(service, store)).toEqual({ rows: 200, bytes: bytes(all) });

    const whole = await importInto(service, sourceOf(all), { store });
    expect(whole).toMatchObject({ repeated: true, resumedAfter: 0, counts: { read: 200, duplicates: 200 } });
    expect(whole.counts.readChecksum).toBe(result.counts.readChecksum);
  });

  test("never continues after a failed page, whatever follows it", async () => {
    const store = await createStore(service);
    await service
      .post(batchPath(store), { embeddings: [{ id: "row-33", content: "mine", embedding: testVector(1, 8) }] })
      .expect(200);
    const all = rows(100);
    await expect(importInto(service, sourceOf(all), { store, writers: 5 })).rejects.toMatchObject({ status: 409 });
    await service.delete(rowsPath(store), { ids: ["row-33"] }).expect(200);
    const read: number[] = [];
    const result = await importInto(service, sourceOf(all, { onPage: (from) => read.push(from) }), { store });
    expect(read[0]).toBeLessThanOrEqual(30);
    expect(result.counts.read).toBe(100);
    expect(await countsOf(service, store)).toEqual({ rows: 100, bytes: bytes(all) });
  });

  test("starts over with --restart, and counts as another import if any option differs", async () => {
    const store = await createStore(service);
    const all = rows(50);
    await expect(importInto(service, sourceOf(all, { onPage: broken(30) }), { store })).rejects.toThrow();
    const read: number[] = [];
    const onPage = (from: number) => read.push(from);
    await importInto(service, sourceOf(all, { onPage }), { store, restart: true });
    expect(read[0]).toBe(0);
    read.length = 0;
    await importInto(service, sourceOf(all, { onPage }), { store, idPrefix: "x-" });
    expect(read[0]).toBe(0);
  });

  test("ends cleanly on a signal", async () => {
    const store = await createStore(service);
    const controller = new AbortController();
    const stop = (from: number) => {
      if (from === 30) controller.abort();
    };
    const first = await importInto(service, sourceOf(rows(100), { onPage: stop }), {
      store,
      signal: controller.signal,
    });
    expect(first.finished).toBe(false);
    expect(first.counts.read).toBe(await rowsInTable(service));
    const second = await importInto(service, sourceOf(rows(100)), { store });
    expect(second).toMatchObject({ finished: true, resumedAfter: first.counts.read, counts: { read: 100 } });
    expect((await countsOf(service, store)).rows).toBe(100);
  });

  test("may leave its lease after kill -9, and the next run waits for its end", async () => {
    const store = await createStore(service);
    const all = rows(30);
    await expect(importInto(service, sourceOf(all, { onPage: broken(20) }), { store })).rejects.toThrow();
    await service.database.exec(
      "UPDATE vector_store_imports SET lease = 'dead', lease_until = clock_timestamp() + interval '1 second'",
    );
    expect(await importInto(service, sourceOf(all), { store })).toMatchObject({ finished: true, resumedAfter: 20 });
  });

  test("cannot run twice at once", async () => {
    const store = await createStore(service);
    let second: Promise<unknown> | undefined;
    const wait = async (from: number) => {
      if (from !== 50) return;
      second = importInto(service, sourceOf(rows(100)), { store });
      await second.catch(() => undefined);
    };
    const first = importInto(service, sourceOf(rows(100), { onPage: wait }), { store });
    // The embedded database has one process: the next one knows that the previous one has ended.
    if (service.database.kind === "pglite") {
      await expect(first).rejects.toThrow(/taken this import over/);
      await second;
    } else {
      await first;
      await expect(second).rejects.toThrow(/^The same import is under way in another process/);
    }
    expect(await countsOf(service, store)).toEqual({ rows: 100, bytes: bytes(rows(100)) });
  });
});
