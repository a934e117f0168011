import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { type TestDatabase, createTestDatabase } from "../../support/database.js";
import { fillReference, referenceRows, referenceStores, referenceTables } from "../../support/litellmPgvector.js";
import { quickStartSettings, runQuickStart, storeIds } from "../../support/quickStart.js";
import { insertStore } from "../../../src/db/tables/stores.js";
import { noOwner } from "../../../src/words/caller.js";
import { newStore } from "../../support/stores.js";
import { testDimensions } from "../../support/settings.js";

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(() => database.drop());

/** The owners of all stores, by name. */
const owners = async () =>
  Object.fromEntries(
    (
      await database.query<{ name: string; owner: string }>(
        "SELECT name, concat_ws(' ', owner_user_id, owner_team_id, owner_key_id) AS owner FROM vector_stores",
      )
    ).map(({ name, owner }) => [name, owner]),
  );
const start = async (environment: Record<string, string>) => (await database.open(environment)).db;

describe("ADOPTED_OWNER", () => {
  test("gets the stores of litellm-pgvector at the start that adopts them, and no other", async () => {
    await database.exec(referenceTables(testDimensions));
    const stores = referenceStores().slice(0, 2);
    await fillReference(database, stores, referenceRows(stores, 4), testDimensions);
    const db = await start({ ADOPTED_OWNER: "team:support desk" });
    await insertStore(db, newStore(), noOwner, Date.now());
    await db.close();
    await (await start({ ADOPTED_OWNER: "user:zoe" })).close();
    const [first = "", second = ""] = stores.map(({ name }) => name);
    expect(await owners()).toEqual({ [first]: "support desk", [second]: "support desk", a: "" });
    const acts = await database.query("SELECT actor, action, details FROM vector_store_audit");
    expect(acts).toEqual([
      {
        actor: "adoption",
        action: "store.adopt",
        details: { given_to: { userId: null, teamId: "support desk", keyId: null }, stores_given: 2 },
      },
    ]);
  });

  test("leaves stores that have an owner to them", async () => {
    await runQuickStart(database);
    await database.exec(`INSERT INTO vector_stores (id, name, owner_user_id) VALUES
      ('${storeIds.handbooks}', 'Handbooks', 'ann'), ('${storeIds.nobodys}', 'Nobodys', '')`);
    await (await start({ ...quickStartSettings, ADOPTED_OWNER: "user:zoe" })).close();
    expect(await owners()).toEqual({ Handbooks: "ann", Nobodys: "zoe" });
  });

  test("without it, adopted stores are the service's own", async () => {
    await database.exec(referenceTables(testDimensions));
    await fillReference(database, referenceStores().slice(0, 1), [], testDimensions);
    await (await start({})).close();
    expect(Object.values(await owners())).toEqual([""]);
    expect(await database.query("SELECT 1 FROM vector_store_audit")).toEqual([]);
  });

  test("of a new database, it owns nothing", async () => {
    const db = await start({ ADOPTED_OWNER: "user:zoe" });
    await insertStore(db, newStore(), noOwner, Date.now());
    await db.close();
    expect(await owners()).toEqual({ a: "" });
  });
});
