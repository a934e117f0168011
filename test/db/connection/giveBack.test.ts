import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDatabase } from "../../../src/db/connection/openDatabase.js";
import type { Database } from "../../../src/db/database.js";
import { loadConfig } from "../../../src/process/config.js";
import { createLog } from "../../../src/process/log.js";
import { createStorage } from "../../../src/storage/storage.js";

/** The embedded database's directory stays small, however often files come and go. */

const megabyte = 2 ** 20;
async function* bytesOf(size: number): AsyncGenerator<Buffer> {
  for (let left = size; left > 0; left -= megabyte) yield await Promise.resolve(randomBytes(Math.min(left, megabyte)));
}

let directory: string;
let db: Database;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "vector-store-back-"));
  db = await openDatabase(loadConfig({ DATA_DIR: directory }), createLog("silent"));
});
afterEach(async () => {
  await db.close();
  rmSync(directory, { recursive: true });
});

const size = (): number =>
  readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((each) => each.isFile())
    .reduce((sum, each) => sum + statSync(join(each.parentPath, each.name)).size, 0);

test("uploads and deletions leave it as large as one of them does", async () => {
  const storage = createStorage(db, null, Date.now);
  const before = size();
  const sizes: number[] = [];
  for (let i = 0; i < 12; i += 1) {
    const kept = await storage.write(bytesOf(8 * megabyte));
    await storage.remove(kept);
    expect(await db.giveBack()).toBeGreaterThan(0);
    sizes.push(size());
  }
  // 96 MB came and went, each byte in the table and in the WAL. Left are 32 MB of WAL before a checkpoint is due, and
  // the rest of two files of it.
  expect(Math.max(...sizes) - before).toBeLessThan(50 * megabyte);
  expect(Math.max(...sizes.slice(6)) - Math.max(...sizes.slice(0, 6))).toBeLessThan(17 * megabyte);
  expect(await db.giveBack()).toBeLessThanOrEqual(1);
});

test("a burst of writes leaves no WAL", async () => {
  const storage = createStorage(db, null, Date.now);
  const before = size();
  await storage.remove(await storage.write(bytesOf(100 * megabyte)));
  expect(size() - before).toBeGreaterThan(150 * megabyte);
  await db.giveBack();
  expect(size() - before).toBeLessThan(20 * megabyte);
});

test("a small change is not worth the work", async () => {
  const storage = createStorage(db, null, Date.now);
  await db.giveBack();
  await storage.remove(await storage.write(bytesOf(1000)));
  expect(await db.giveBack()).toBe(0);
});
