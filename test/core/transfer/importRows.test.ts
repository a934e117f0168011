import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { toNetworkOrder } from "../../../src/numbers/float32.js";
import type { TransferRow } from "../../../src/words/rows.js";
import { type TestService, startService } from "../../support/service.js";
import { testVector } from "../../support/vectors.js";
import { testDimensions } from "../../support/settings.js";
import {
  batchPath,
  bodyOf,
  countsOf,
  createStore,
  rowsInTable,
  rowsPath,
  searchPath,
  searchStore,
  storedRows,
  stubLitellm,
} from "../../support/stores.js";
import { importInto, sourceOf, transferRow, transferStore } from "../../support/transfer.js";

jest.setTimeout(120_000);

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
beforeEach(async () => {
  await service.database.exec("DELETE FROM embeddings; DELETE FROM vector_stores; DELETE FROM vector_store_imports");
});
afterAll(() => service.close());

const rows = (count: number, overrides: (n: number) => Partial<TransferRow> = () => ({})) =>
  Array.from({ length: count }, (_, n) => transferRow(n, overrides(n)));
const bytes = (all: readonly TransferRow[]) => all.reduce((sum, row) => sum + Buffer.byteLength(row.content), 0);

describe("rows that are imported", () => {
  test("are all there once, with their ids, times and metadata; counted, and found by the next search", async () => {
    const store = await createStore(service);
    const all = rows(137);
    const result = await importInto(service, sourceOf(all), { store });
    expect(result).toMatchObject({ finished: true, repeated: false, resumedAfter: 0, verified: true });
    expect(result.counts).toMatchObject({ read: 137, added: 137, duplicates: 0, skipped: 0, embedded: 0 });
    expect(result.counts.storedChecksum).toBe(result.counts.readChecksum);
    expect(result.stores).toMatchObject([{ id: store, made: false, dimensions: testDimensions }]);

    expect(await countsOf(service, store)).toEqual({ rows: 137, bytes: bytes(all) });
    const stored = new Map((await storedRows(service, store)).map((row) => [row.id, row]));
    expect(stored.size).toBe(137);
    expect(stored.get("row-7")).toMatchObject({
      content: "content 7",
      metadata: { n: 7 },
      embedding: testVector(8, testDimensions),
    });
    const times = await service.database.query(
      "SELECT (extract(epoch FROM created_at) * 1000000)::bigint::text AS micros FROM embeddings WHERE id = 'row-7'",
    );
    expect(times).toEqual([{ micros: "1700000000000007" }]);
    const [found] = await searchStore(service, store, "any", { filters: { type: "eq", key: "n", value: 7 } });
    expect(found).toMatchObject({ id: "row-7" });
    const derived = await service.database.query(
      "SELECT count(*)::int AS n FROM vector_store_vectors WHERE vector_store_id = $1",
      [store],
    );
    expect(derived).toEqual([{ n: 137 }]);
  });

  test("have their words made where the store is searched by them", async () => {
    const store = await createStore(service, { search_mode: "keyword" });
    await importInto(service, sourceOf(rows(30, (n) => ({ content: n === 20 ? "the only kettle" : `text ${n}` }))), {
      store,
    });
    expect((await searchStore(service, store, "kettle")).map((found) => found.id)).toEqual(["row-20"]);
  });

  test("without ids get the same ones in every run, and others in another store", async () => {
    const [one, two] = [await createStore(service), await createStore(service)];
    const all = rows(25, () => ({ id: null }));
    await importInto(service, sourceOf(all), { store: one });
    const ids = (await storedRows(service, one)).map((row) => row.id);
    expect(new Set(ids).size).toBe(25);
    for (const id of ids) expect(id).toMatch(/^emb_[0-9a-f]{32}$/);
    const again = await importInto(service, sourceOf(all), { store: one });
    expect(again.counts).toMatchObject({ added: 0, duplicates: 25 });
    expect((await importInto(service, sourceOf(all), { store: two })).counts.added).toBe(25);
    expect(await rowsInTable(service)).toBe(50);
  });

  test("of a vector without direction are kept and counted", async () => {
    const store = await createStore(service);
    const zero = { vector: Buffer.alloc(4 * testDimensions) };
    const result = await importInto(service, sourceOf(rows(3, (n) => (n === 1 ? zero : {}))), { store });
    expect(result.counts).toMatchObject({ added: 3, withoutDirection: 1 });
    expect((await searchStore(service, store, "x")).at(-1)).toMatchObject({ id: "row-1", score: 0 });
  });

  test("in a page with one id twice: the same row is one, another is refused", async () => {
    const store = await createStore(service);
    const twice = [...rows(3), transferRow(1, { at: "row 9" })];
    expect((await importInto(service, sourceOf(twice), { store })).counts).toMatchObject({
      read: 4,
      added: 3,
      duplicates: 1,
    });
    const other = [...rows(3), transferRow(1, { at: "row 9", content: "other" })];
    await expect(importInto(service, sourceOf(other, { name: "b" }), { store })).rejects.toThrow(
      /^row 9: repeats the id of row 1, 'row-1', with other content/,
    );
  });
});

describe("stores", () => {
  test("of the source are made with what it says of them, also those without rows", async () => {
    const stores = [
      transferStore("vs_one", {
        name: "One",
        description: "first",
        metadata: '{"team": "a", "n": 12345678901234567890}',
        ownerUserId: "user-1",
        expiresAfter: '{"anchor": "last_active_at", "days": 7}',
        createdAt: 1_600_000_000_250_000,
        embeddingDimensions: testDimensions,
        search: '{"mode": "hybrid", "language": "english"}',
      }),
      transferStore("09beee6f-ed62-47c6-a161-dea9018a5a40", { name: "Empty", embeddingDimensions: testDimensions }),
    ];
    const all = rows(20, () => ({ storeId: "vs_one", content: "many kettles" }));
    const result = await importInto(service, sourceOf(all, { stores }));
    expect(result.stores.map(({ id, made }) => [id, made])).toEqual([
      ["vs_one", true],
      ["09beee6f-ed62-47c6-a161-dea9018a5a40", true],
    ]);
    expect(await bodyOf(service.get("/v1/vector_stores/vs_one").expect(200))).toMatchObject({
      name: "One",
      description: "first",
      expires_after: { anchor: "last_active_at", days: 7 },
      created_at: 1_600_000_000,
      file_counts: { completed: 20 },
      search_mode: "hybrid",
    });
    const [row] = await service.database.query(
      "SELECT owner_user_id, metadata::text AS metadata, expires_at > now() AS alive, keywords_language FROM vector_stores WHERE id = 'vs_one'",
    );
    expect(row).toEqual({
      owner_user_id: "user-1",
      metadata: '{"n": 12345678901234567890, "team": "a"}',
      alive: true,
      keywords_language: "english",
    });
    expect((await searchStore(service, "vs_one", "kettle")).length).toBe(10);
    await service.get("/v1/vector_stores/09beee6f-ed62-47c6-a161-dea9018a5a40").expect(200);
  });

  test("that are there already are used as they are", async () => {
    await importInto(
      service,
      sourceOf([], { stores: [transferStore("vs_one", { name: "One", embeddingDimensions: testDimensions })] }),
    );
    await service.post("/v1/vector_stores/vs_one", { name: "Renamed" }).expect(200);
    const all = rows(5, () => ({ storeId: "vs_one" }));
    const source = sourceOf(all, { name: "other", stores: [transferStore("vs_one", { name: "One" })] });
    expect((await importInto(service, source)).stores).toMatchObject([{ id: "vs_one", name: "Renamed", made: false }]);
    expect((await countsOf(service, "vs_one")).rows).toBe(5);
  });

  test("by names that are no ids get an id, the same in every run", async () => {
    const all = rows(10, (n) => ({ storeId: n % 2 === 0 ? "Support FAQ" : "Handbuch/ä" }));
    const first = await importInto(service, sourceOf(all));
    expect(first.stores.map((store) => store.name)).toEqual(["Support FAQ", "Handbuch/ä"]);
    for (const { id } of first.stores) expect(id).toMatch(/^vs_[0-9a-f]{32}$/);
    const again = await importInto(service, sourceOf(all), { restart: true });
    expect(again.stores).toEqual(first.stores.map((store) => ({ ...store, made: false })));
    expect(again.counts).toMatchObject({ added: 0, duplicates: 10 });
  });

  test("by --store-name one is made, and found again by the same import", async () => {
    const first = await importInto(service, sourceOf(rows(5)), { storeName: "Docs" });
    const again = await importInto(service, sourceOf(rows(8)), { storeName: "Docs" });
    expect(again.stores).toEqual(first.stores.map((store) => ({ ...store, made: false })));
    expect(again).toMatchObject({ repeated: true, counts: { added: 3, duplicates: 5 } });
    const [store] = first.stores;
    expect(await countsOf(service, store?.id ?? "")).toEqual({ rows: 8, bytes: bytes(rows(8)) });
  });

  test("have the model that is named, and dimensions other than the settings' need one", async () => {
    const short = rows(3, () => ({ vector: toNetworkOrder(Float32Array.of(1, 2, 3)) }));
    await expect(importInto(service, sourceOf(short), { storeName: "short" })).rejects.toThrow(
      /^--embedding-model: the vectors have 3 dimensions, and those of .* have 8 \(EMBEDDING__DIMENSIONS\)\. Name the model/,
    );
    expect(await service.database.query("SELECT 1 FROM vector_stores")).toEqual([]);
    const result = await importInto(service, sourceOf(short), {
      storeName: "short",
      embeddingModel: "built-in-hashing",
    });
    expect(result.stores).toMatchObject([{ dimensions: 3, made: true }]);
  });

  test("must be named where the rows do not say", async () => {
    await expect(importInto(service, sourceOf(rows(1)))).rejects.toThrow(
      /^--store: the rows do not say which vector store they belong to.*--store-name/,
    );
    await expect(importInto(service, sourceOf(rows(1)), { store: "vs_none" })).rejects.toMatchObject({ status: 404 });
  });
});

describe("what cannot be imported is told by its row, and nothing of it is written", () => {
  const refused: [string, Partial<TransferRow>, RegExp][] = [
    [
      "another length",
      { vector: toNetworkOrder(Float32Array.of(1, 2)) },
      /^row 0: its embedding has 2 dimensions, and the vector store '.*' has 8/,
    ],
    ["no embedding", { vector: null }, /^row 0: it has no embedding\. With --embed/],
    ["U+0000 in the content", { content: "a\0b" }, /^row 0: its content holds the character U\+0000/],
    ["half a character", { content: "a\ud800" }, /^row 0: its content holds half a character/],
    ["U+0000 in the id", { id: "a\0b" }, /^row 0: its id holds the character U\+0000/],
  ];
  test.each(refused)("%s", async (_, overrides, message) => {
    const store = await createStore(service);
    await expect(importInto(service, sourceOf([transferRow(0, overrides), transferRow(1)]), { store })).rejects.toThrow(
      message,
    );
    expect(await rowsInTable(service)).toBe(0);
  });

  const metadata: [string, RegExp][] = [
    ['{"a":', /^row 13: its metadata is not JSON that PostgreSQL can store/],
    ['{"a": "\\u0000"}', /^row 13: its metadata is not JSON that PostgreSQL can store/],
    ['{"a": "\\ud800"}', /^row 13: its metadata is not JSON that PostgreSQL can store/],
  ];
  test.each(metadata)("metadata %s, in the middle of a page", async (text, message) => {
    const store = await createStore(service);
    const all = rows(20, (n) => (n === 13 ? { metadata: text } : {}));
    await expect(importInto(service, sourceOf(all, { pageRows: 20 }), { store })).rejects.toThrow(message);
    expect(await rowsInTable(service)).toBe(0);
  });

  test("a row that the table's own rule refuses is found; others of its page may be there", async () => {
    const store = await createStore(service);
    await service.database.exec("ALTER TABLE embeddings ADD CONSTRAINT no_secrets CHECK (content <> 'secret')");
    try {
      const all = rows(20, (n) => (n === 13 ? { content: "secret" } : {}));
      await expect(importInto(service, sourceOf(all, { pageRows: 20 }), { store })).rejects.toThrow(
        /^row 13: .*check constraint/,
      );
      const after = await countsOf(service, store);
      expect(after.rows).toBe(await rowsInTable(service));
      expect(after.rows).toBeGreaterThan(0);
      const fixed = rows(20, (n) => (n === 13 ? { content: "no secret" } : {}));
      expect((await importInto(service, sourceOf(fixed, { pageRows: 20 }), { store })).counts).toMatchObject({
        read: 20,
      });
      expect(await countsOf(service, store)).toEqual({ rows: 20, bytes: bytes(fixed) });
    } finally {
      await service.database.exec("ALTER TABLE embeddings DROP CONSTRAINT no_secrets");
    }
  });

  test("an id that is there with other content, or in another store, with the flags that help", async () => {
    const [store, other] = [await createStore(service), await createStore(service)];
    await service
      .post(batchPath(store), { embeddings: [{ id: "row-3", content: "mine", embedding: testVector(1, 8) }] })
      .expect(200);
    await expect(importInto(service, sourceOf(rows(10)), { store })).rejects.toThrow(
      /^row 3: its id 'row-3' exists already with other content, metadata or embedding\. .*--id-prefix.*--on-conflict skip/,
    );
    await expect(importInto(service, sourceOf(rows(10)), { store: other })).rejects.toThrow(
      new RegExp(`^row 3: its id 'row-3' exists already in another vector store, ${store}\\.`),
    );
    const skipped = await importInto(service, sourceOf(rows(10)), { store, onConflict: "skip" });
    expect(skipped).toMatchObject({ skippedRows: ["row 3"], counts: { read: 10, skipped: 1 } });
    expect(skipped.counts.storedChecksum).toBe(skipped.counts.readChecksum);
    expect((await countsOf(service, store)).rows).toBe(10);
    const prefixed = await importInto(service, sourceOf(rows(10)), { store: other, idPrefix: "old-" });
    expect(prefixed.counts.added).toBe(10);
    expect((await storedRows(service, other)).map((row) => row.id)).toContain("old-row-3");
  });

  test("a row that the database has otherwise than it was read: its page is not kept", async () => {
    const store = await createStore(service);
    await service.database.exec(`
      CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN IF NEW.id = 'row-13' THEN NEW.content := 'meddled with'; END IF; RETURN NEW; END $$;
      CREATE TRIGGER meddles BEFORE INSERT ON embeddings FOR EACH ROW EXECUTE FUNCTION meddle()`);
    try {
      await expect(importInto(service, sourceOf(rows(20)), { store })).rejects.toThrow(
        /^row 13: the database has it differently from what was read \(id row-13\)\. Nothing of its page was kept/,
      );
      const kept = await storedRows(service, store);
      expect(kept.map((row) => row.id)).not.toContain("row-13");
      expect(await countsOf(service, store)).toMatchObject({ rows: kept.length });
      // Whoever does not want to know is not told.
      const unverified = await importInto(service, sourceOf(rows(20)), { store, verify: false, onConflict: "skip" });
      expect(unverified).toMatchObject({ finished: true, verified: false });
    } finally {
      await service.database.exec("DROP TRIGGER meddles ON embeddings; DROP FUNCTION meddle()");
    }
  });
});

describe("rows without embedding", () => {
  test("are embedded by the store's model when asked to, and not a second time", async () => {
    let asked = 0;
    const litellm = stubLitellm({
      embed: (texts) => {
        asked += texts.length;
        return Promise.resolve(texts.map((text) => Float32Array.from(testVector(text.length, testDimensions))));
      },
    });
    const deps = { ...service.deps, litellm };
    const store = await createStore(service);
    const all = rows(25, (n) => (n % 5 === 0 ? { vector: null } : {}));
    expect((await importInto({ deps }, sourceOf(all), { store, embed: true })).counts).toMatchObject({
      added: 25,
      embedded: 5,
    });
    expect(asked).toBe(5);
    const again = await importInto({ deps }, sourceOf(all), { store, embed: true });
    expect(again.counts).toMatchObject({ added: 0, duplicates: 25 });
    expect(asked).toBe(5);
    const other = all.map((row) => ({ ...row, content: `other ${row.content}` }));
    await expect(importInto({ deps }, sourceOf(other, { name: "b" }), { store, embed: true })).rejects.toMatchObject({
      status: 409,
    });
    const blank = [transferRow(99, { vector: null, content: " " })];
    await expect(importInto({ deps }, sourceOf(blank, { name: "c" }), { store, embed: true })).rejects.toThrow(
      /^row 99: it has neither an embedding nor a content/,
    );
  });
});

describe("an import that was broken off", () => {
  const broken = (at: number) => (from: number) => {
    if (from === at) throw new Error("the source broke");
  };

  test("goes on where it stopped: every row is there once, and counts are of both runs", async () => {
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

  test("never passes a page that failed, whatever comes after it", async () => {
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

  test("begins anew with --restart, and as another import when anything of it is another", async () => {
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

  test("by a signal ends in good order", async () => {
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

  test("by kill -9 may have its lease left, whose end is waited for", async () => {
    const store = await createStore(service);
    const all = rows(30);
    await expect(importInto(service, sourceOf(all, { onPage: broken(20) }), { store })).rejects.toThrow();
    await service.database.exec(
      "UPDATE vector_store_imports SET lease = 'dead', lease_until = clock_timestamp() + interval '1 second'",
    );
    expect(await importInto(service, sourceOf(all), { store })).toMatchObject({ finished: true, resumedAfter: 20 });
  });

  test("is not begun a second time while it is under way", async () => {
    const store = await createStore(service);
    let second: Promise<unknown> | undefined;
    const wait = async (from: number) => {
      if (from !== 50) return;
      second = importInto(service, sourceOf(rows(100)), { store });
      await second.catch(() => undefined);
    };
    const first = importInto(service, sourceOf(rows(100), { onPage: wait }), { store });
    // The embedded database has one process: who comes to it there knows that the one before is gone.
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

describe("a dry run", () => {
  test("says what would be done, and changes nothing", async () => {
    const store = await createStore(service);
    await importInto(service, sourceOf(rows(10)), { store });
    const before = await service.database.query("SELECT * FROM vector_store_imports");
    const [state] = await service.database.query("SELECT * FROM vector_stores");
    const all = [
      ...rows(30),
      transferRow(40, { vector: null }),
      transferRow(3, { at: "row 3 again", content: "other", id: "row-3" }),
    ];
    const result = await importInto(service, sourceOf(all, { pageRows: 7, name: "dry" }), {
      store,
      dryRun: true,
      embed: true,
      onConflict: "skip",
    });
    expect(result).toMatchObject({ dryRun: true, verified: false, skippedRows: ["row 3 again"] });
    expect(result.counts).toMatchObject({ read: 32, added: 20, duplicates: 10, skipped: 1, embedded: 1 });
    const made = await importInto(service, sourceOf(rows(5), { name: "dry" }), {
      storeName: "New",
      dryRun: true,
      idPrefix: "y-",
    });
    expect(made.stores).toMatchObject([{ name: "New", made: true }]);
    expect(await service.database.query("SELECT * FROM vector_store_imports")).toEqual(before);
    expect(await service.database.query("SELECT * FROM vector_stores")).toEqual([state]);
    expect(await rowsInTable(service)).toBe(10);
  });
});

test("an import beside a server that inserts, deletes and searches in the same store: every counter is right at the end", async () => {
  const store = await createStore(service);
  const all = rows(600);
  let importing = true;
  let inserted = 0;
  const insert = async () => {
    while (importing) {
      const embeddings = [0, 1, 2].map((i) => ({
        id: `live-${inserted + i}`,
        content: "live",
        embedding: testVector(inserted + i, 8),
      }));
      await service.post(batchPath(store), { embeddings }).expect(200);
      inserted += 3;
      await service.delete(rowsPath(store), { ids: [`live-${inserted - 1}`] }).expect(200);
    }
  };
  const search = async () => {
    while (importing) await service.post(searchPath(store), { query: "content", max_num_results: 10 }).expect(200);
  };
  const beside = [insert(), search()];
  const result = await importInto(service, sourceOf(all, { pageRows: 20 }), { store }).finally(
    () => (importing = false),
  );
  await Promise.all(beside);
  expect(result.counts).toMatchObject({ read: 600, added: 600 });
  const expected = 600 + (inserted / 3) * 2;
  expect(await countsOf(service, store)).toEqual({ rows: expected, bytes: bytes(all) + (inserted / 3) * 2 * 4 });
  expect(await rowsInTable(service, store)).toBe(expected);
});
