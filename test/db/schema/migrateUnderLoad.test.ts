import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { fileTables } from "../../support/customTables.js";
import { onServer, openUrl, until, urlOf } from "../../support/serverDatabase.js";
import { type TestService, startService } from "../../support/service.js";
import { readMigrations } from "../../../src/db/schema/migrations.js";
import { batchPath, createStore } from "../../support/stores.js";

jest.setTimeout(240_000);

/** Undoes the third migration: its tables and its record are gone. */
const unmigrate = `LOCK TABLE vector_stores IN ACCESS EXCLUSIVE MODE; DROP TABLE IF EXISTS ${fileTables
  .split(",")
  .filter((each) => /file|upload/.test(each))
  .join(",")} CASCADE;
  DELETE FROM vector_store_migrations WHERE version = 3`;

(onServer ? describe : describe.skip)("a migration while others write", () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startService();
  });
  afterAll(() => service.close());

  test("fails no request, and completes", async () => {
    const store = await createStore(service);
    const url = await urlOf(service.database);
    const statuses = new Map<number, number>();
    let stop = false;
    const writer = async (n: number) => {
      for (let turn = 0; !stop; turn += 1) {
        const embeddings = Array.from({ length: 20 }, (_, i) => ({ id: `${n}-${turn}-${i}`, content: `row ${turn}` }));
        const { status } = await service.post(batchPath(store), { embeddings, return: "count" });
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
    };
    const writers = Array.from({ length: 8 }, (_, n) => writer(n));
    for (let round = 0; round < 15; round += 1) {
      const before = statuses.get(200) ?? 0;
      await until(() => Promise.resolve((statuses.get(200) ?? 0) > before + 10));
      await service.database.exec(unmigrate);
      await (await openUrl(url)).close();
    }
    stop = true;
    await Promise.all(writers);
    expect([...statuses.keys()]).toEqual([200]);
    expect(await service.database.query("SELECT version FROM vector_store_migrations ORDER BY version")).toEqual(
      readMigrations().map(({ version }) => ({ version })),
    );
  });
});
