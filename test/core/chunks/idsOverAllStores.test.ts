import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { createTestDatabase } from "../../support/database.js";
import { tablesWithKeyOnId } from "../../support/keyOnId.js";
import { type TestService, startService } from "../../support/service.js";
import {
  batchPath,
  countsOf,
  createStore,
  errorOf,
  recordingLitellm,
  rowOf,
  rowsInTable,
  rowsPath,
  storedRows,
} from "../../support/stores.js";
import { importInto, sourceOf, transferRow } from "../../support/transfer.js";

/** Adopted tables, and those of older versions, have a key on the id alone: an id is one store's; others get 409. */

const { litellm, asked } = recordingLitellm((text) => text.length);

let service: TestService;
let mine: string;
let other: string;
let count = 0;
beforeAll(async () => {
  const database = await createTestDatabase();
  await database.exec(tablesWithKeyOnId);
  service = await startService({ database, litellm });
});
afterAll(() => service.close());
beforeEach(async () => {
  [mine, other] = [await createStore(service), await createStore(service)];
  count += 1;
  asked.length = 0;
});

const id = (name: string) => `doc-${count}-${name}`;
const put = (storeId: string, embeddings: readonly object[], rule = "error") =>
  service.post(batchPath(storeId), { embeddings, on_conflict: rule });

describe("an id of another store", () => {
  test("is 409, whether the rows are equal or not: the answer reveals nothing else", async () => {
    const row = rowOf(1, { id: id("a") });
    await put(other, [row]).expect(200);
    const alike = await put(mine, [rowOf(2), row]).expect(409);
    const unlike = await put(mine, [rowOf(2), { ...row, content: "something else" }]).expect(409);
    const unembedded = await put(mine, [rowOf(2), { id: row.id, content: row.content }]).expect(409);
    expect(errorOf(alike)).toEqual({
      message: "embeddings[1].id: cannot be used in this vector store; choose another id",
      type: "invalid_request_error",
      param: "embeddings[1].id",
      code: "conflict",
    });
    expect(errorOf(alike)).toEqual(errorOf(unlike));
    expect(errorOf(alike)).toEqual(errorOf(unembedded));
    expect(asked).toEqual([]);
    expect(await rowsInTable(service, mine)).toBe(0);
    expect(await countsOf(service, mine)).toEqual({ rows: 0, bytes: 0 });
    expect(await countsOf(service, other)).toEqual({ rows: 1, bytes: 5 });
  });

  test("is 409 for rows to skip or to replace", async () => {
    const row = rowOf(1, { id: id("a") });
    await put(mine, [row]).expect(200);
    await put(other, [rowOf(8, { id: id("b") })]).expect(200);
    for (const rule of ["replace", "skip"]) {
      const taken = await put(mine, [rowOf(5, { id: id("a") }), rowOf(8, { id: id("b") })], rule).expect(409);
      expect(errorOf(taken)).toMatchObject({
        message: "embeddings[1].id: cannot be used in this vector store; choose another id",
        code: "conflict",
      });
    }
    expect(await storedRows(service, mine)).toMatchObject([row]);
  });

  test("is neither read, changed nor removed", async () => {
    await put(other, [rowOf(1, { id: id("a") })]).expect(200);
    const path = `${rowsPath(mine)}/${id("a")}`;
    await service.get(path).expect(404);
    await service.patch(path, { content: "new" }).expect(404);
    await service.delete(path).expect(404);
    await service.delete(rowsPath(mine), { ids: [id("a")] }).expect(200);
    expect(await countsOf(service, other)).toEqual({ rows: 1, bytes: 5 });
  });

  test("is one store's when many want it at once", async () => {
    const stores = await Promise.all(Array.from({ length: 5 }, () => createStore(service)));
    const answers = await Promise.all(stores.map((store, n) => put(store, [rowOf(n, { id: id("a") })], "replace")));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409, 409, 409, 409]);
    for (const [n, store] of stores.entries())
      expect(await rowsInTable(service, store)).toBe(answers[n]?.status === 200 ? 1 : 0);
  });
});

describe("an imported row with an id of another store", () => {
  const rowFor = (n: number, storeId: string | null = null) => transferRow(n, { id: id(String(n)), storeId });

  test("is refused with the flags that help", async () => {
    await importInto(service, sourceOf([rowFor(1)]), { store: mine });
    await expect(importInto(service, sourceOf([rowFor(1)], { name: "again" }), { store: other })).rejects.toThrow(
      new RegExp(`^row 1: its id '${id("1")}' exists already in another vector store, ${mine}\\. .*--id-prefix`),
    );
    const skipped = await importInto(service, sourceOf([rowFor(1), rowFor(2)], { name: "skipping" }), {
      store: other,
      onConflict: "skip",
    });
    expect(skipped.counts).toMatchObject({ added: 1, skipped: 1 });
  });

  test("is refused in the same page, too, before anything of it is stored", async () => {
    const rows = [rowFor(1, mine), { ...rowFor(1, other), at: "row 2" }];
    await expect(importInto(service, sourceOf(rows))).rejects.toThrow(/^row 2: repeats the id of row 1/);
    expect(await rowsInTable(service, mine)).toBe(0);
  });
});
