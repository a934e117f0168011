import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { PGlite } from "@electric-sql/pglite";
import { pg_trgm } from "@electric-sql/pglite/contrib/pg_trgm";
import { vector } from "@electric-sql/pglite-pgvector";
import { loadConfig } from "../../../src/process/config.js";
import { start } from "../../../src/db/connection/openDatabase.js";
import { createPglitePool } from "../../../src/db/connection/pglitePool.js";
import { createLog } from "../../../src/process/log.js";
import { testDimensions, testKey } from "../../support/settings.js";
import { ask, idsOf, writeStore } from "./keywordStores.js";
import type { Database } from "../../../src/db/database.js";

/** The embedded database comes with pg_trgm; the service itself never installs it. */
let pglite: PGlite;
let db: Database;
beforeAll(async () => {
  pglite = await PGlite.create({ extensions: { vector, pg_trgm } });
  await pglite.exec("CREATE EXTENSION vector");
  const config = loadConfig({
    EMBEDDING__DIMENSIONS: String(testDimensions),
    SERVER_API_KEY: testKey,
    LOG_LEVEL: "silent",
  });
  db = await start(await createPglitePool(pglite), "pglite", config, createLog("silent"), {
    schema: null,
    release: () => Promise.resolve(),
  });
  await writeStore(db, "typos", [
    { id: "name", content: "Mr. Zimmermann called about the invoice", metadata: { n: 1 } },
    { id: "invoice", content: "The invoice was paid in May", metadata: { n: 2 } },
    { id: "other", content: "Nothing else of interest", metadata: { n: 3 } },
    { id: "code", content: "Part E-4711", metadata: { n: 4 } },
  ]);
});
afterAll(() => db.close());

test("without pg_trgm a mistyped word is not found", async () => {
  expect(await ask(db, "typos", "Zimmermenn")).toEqual([]);
});

describe("with pg_trgm", () => {
  beforeAll(async () => {
    await pglite.exec("CREATE SCHEMA extras; CREATE EXTENSION pg_trgm SCHEMA extras");
  });

  test("a mistyped word is found, with less than the score of the right one", async () => {
    const [mistyped] = await ask(db, "typos", "Zimmermenn");
    const [right] = await ask(db, "typos", "Zimmermann");
    expect(mistyped?.id).toBe("name");
    expect(right?.id).toBe("name");
    expect(mistyped?.score).toBeLessThan((right?.score ?? 0) / 1.5);
  });

  test("it helps a chunk with exact words, and is less than any of these", async () => {
    expect(idsOf(await ask(db, "typos", "invoice Zimmermenn"))).toEqual(["name", "invoice"]);
    expect(idsOf(await ask(db, "typos", "interest Zimmermenn"))).toEqual(["other", "name"]);
  });

  test("the filter holds, and codes and short words have no other spelling", async () => {
    expect(await ask(db, "typos", "Zimmermenn", { filter: { type: "gt", key: "n", value: 1 } })).toEqual([]);
    expect(await ask(db, "typos", "E-4712")).toEqual([]);
    expect(await ask(db, "typos", "Prt")).toEqual([]);
  });
});
