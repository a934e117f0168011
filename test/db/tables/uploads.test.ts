import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Database } from "../../../src/db/database.js";
import { endUpload, findUpload, insertPart, insertUpload, listParts } from "../../../src/db/tables/uploads.js";
import type { Scope } from "../../../src/words/caller.js";
import { type TestDatabase, createTestDatabase } from "../../support/database.js";
import { noOwner } from "../../../src/words/caller.js";

let database: TestDatabase;
let db: Database;
beforeAll(async () => {
  database = await createTestDatabase();
  ({ db } = await database.open());
});
afterAll(async () => {
  await db.close();
  await database.drop();
});

test("an upload out of scope takes no part and cannot be ended", async () => {
  const id = "upload_of_alice";
  const times = { createdAt: 1000, expiresAt: 2000 };
  const announced = { filename: "a.txt", purpose: "assistants", bytes: 1, mimeType: "text/plain" };
  await insertUpload(
    db,
    { id, ...announced, ...times, status: "pending", fileExpiresAfter: null, fileId: null },
    { ...noOwner, userId: "alice" },
  );
  const part = { id: "part_1", uploadId: id, content: "c", inDirectory: false, bytes: 1, createdAt: 1000 };
  const end = { status: "cancelled", fileId: null } as const;
  const owner = (userId: string): Scope => ({
    kind: "held",
    by: { ...noOwner, userId },
    need: "admin",
    onlyStores: null,
  });
  for (const scope of [owner("bob"), { kind: "none" } as const]) {
    expect(await findUpload(db, scope, id)).toBeUndefined();
    expect(await insertPart(db, scope, part)).toBe(false);
    expect(await endUpload(db, scope, id, end)).toBe(false);
  }
  expect(await insertPart(db, owner("alice"), part)).toBe(true);
  expect(await listParts(db, id)).toEqual([part]);
  expect(await endUpload(db, owner("alice"), id, end)).toBe(true);
  expect(await findUpload(db, { kind: "all" }, id)).toMatchObject({ status: "cancelled" });
});
