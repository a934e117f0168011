import { afterAll, describe, expect, test } from "@jest/globals";
import { sql } from "kysely";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "../../../src/process/config.js";
import { openDatabase } from "../../../src/db/connection/openDatabase.js";
import { findStore, insertStore } from "../../../src/db/tables/stores.js";
import { StartupError } from "../../../src/words/errors.js";
import { createLog } from "../../../src/process/log.js";
import { newStore } from "../../support/stores.js";
import type { Database } from "../../../src/db/database.js";
import { noOwner } from "../../../src/words/caller.js";

const root = mkdtempSync(join(tmpdir(), "vs-embedded-"));
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

const open = (dataDir: string, environment: Record<string, string> = {}): Promise<Database> =>
  openDatabase(loadConfig({ DATA_DIR: dataDir, EMBEDDING__DIMENSIONS: "8", ...environment }), createLog("silent"));

describe("the embedded database in DATA_DIR", () => {
  const dataDir = join(root, "deep", "data");
  let id = "";

  test("the first start creates the directory; data is still there after closing and opening again", async () => {
    const first = await open(dataDir);
    expect(first.kind).toBe("pglite");
    const store = newStore({ name: "kept", description: "é", metadata: { a: 1 } });
    ({ id } = await first.transaction((tx) => insertStore(tx, store, noOwner, Date.now())));
    await first.close();

    const second = await open(dataDir);
    expect(await findStore(second, { kind: "all" }, id)).toMatchObject({
      id,
      name: "kept",
      description: "é",
      metadata: { a: 1 },
    });
    const { rows } = await sql<{ n: number }>`SELECT count(*) AS n FROM vector_store_migrations`.execute(second.run);
    expect(rows).toEqual([{ n: readdirSync("sql").length }]);
    await second.close();
  });

  test("opening the same directory again is refused with a message, and disturbs nothing", async () => {
    const first = await open(dataDir);
    const refused = open(dataDir);
    await expect(refused).rejects.toThrow(StartupError);
    await expect(refused).rejects.toThrow(`The data directory ${dataDir} is in use by another vector-store process.`);
    expect(await findStore(first, { kind: "all" }, id)).toMatchObject({ name: "kept" });
    await first.close();
  });

  test("a start that fails releases the directory", async () => {
    const db = await open(dataDir);
    await sql`UPDATE vector_stores SET chunk_count = 1, embedding_dimensions = 8`.execute(db.run);
    await db.close();
    await expect(open(dataDir, { EMBEDDING__DIMENSIONS: "9" })).rejects.toThrow(
      /EMBEDDING__DIMENSIONS is 9, .* have 8/,
    );
    await (await open(dataDir)).close();
  });

  test("a failed transaction leaves nothing, and the next one works", async () => {
    const db = await open(dataDir);
    const store = newStore({ name: "gone" });
    let made = "";
    const failing = db.transaction(async (tx) => {
      made = (await insertStore(tx, store, noOwner, Date.now())).id;
      throw new Error("on purpose");
    });
    await expect(failing).rejects.toThrow("on purpose");
    expect(await findStore(db, { kind: "all" }, made)).toBeUndefined();
    const kept = await db.transaction((tx) => insertStore(tx, store, noOwner, Date.now()));
    expect(await findStore(db, { kind: "all" }, kept.id)).toBeDefined();
    await db.close();
  });

  test("a directory with other contents is refused with a message that names it", async () => {
    const broken = join(root, "broken");
    mkdirSync(join(broken, "pglite"), { recursive: true });
    writeFileSync(join(broken, "pglite", "PG_VERSION"), "9.6\n");
    const refused = open(broken);
    await expect(refused).rejects.toThrow(StartupError);
    await expect(refused).rejects.toThrow(broken);
    await expect(open(broken)).rejects.toThrow(/cannot be opened/);
  });
});
