import { afterAll, beforeAll, expect, test } from "@jest/globals";
import fc from "fast-check";
import { sql } from "kysely";
import type { Database } from "../../../src/db/database.js";
import { listStores } from "../../../src/db/tables/storeList.js";
import { findStore, insertStore } from "../../../src/db/tables/stores.js";
import { type Owner, type Scope, type StorePermission, noOwner, storePermissions } from "../../../src/words/caller.js";
import { type TestDatabase, createTestDatabase } from "../../support/database.js";
import { newStore } from "../../support/stores.js";

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

type Held = Extract<Scope, { kind: "held" }>;
interface Grant {
  subject: string;
  permission: StorePermission;
}

// Few names, so that owners, teams and grants often meet; one id is both a user's and a team's.
const anyUser = fc.option(fc.constantFrom("ann", "ben", "both"));
const anyTeam = fc.option(fc.constantFrom("red", "blue", "both"));
const anyKey = fc.option(fc.constantFrom("k1", "k2"));
const anyOwner: fc.Arbitrary<Owner> = fc.record({ userId: anyUser, teamId: anyTeam, keyId: anyKey });
const anySubject = fc.constantFrom("user:ann", "user:both", "team:red", "team:both", "everyone");
const anyGrants = fc.uniqueArray(
  fc.record<Grant>({ subject: anySubject, permission: fc.constantFrom(...storePermissions) }),
  { maxLength: 3, selector: ({ subject }) => subject },
);
const anyStores = fc.array(fc.record({ owner: anyOwner, grants: anyGrants }), { minLength: 1, maxLength: 5 });

/** Who may do what, in words: the definition that the SQL must follow. */
function mayDo(by: Owner, need: StorePermission, owner: Owner, grants: readonly Grant[]): boolean {
  if (by.userId !== null && owner.userId === by.userId) return true;
  if (by.keyId !== null && owner.keyId === by.keyId) return true;
  if (by.teamId !== null && owner.teamId === by.teamId && (need !== "admin" || owner.userId === null)) return true;
  const mine = ["everyone", `user:${by.userId ?? "\n"}`, `team:${by.teamId ?? "\n"}`];
  return grants.some(
    ({ subject, permission }) =>
      mine.includes(subject) && storePermissions.indexOf(permission) >= storePermissions.indexOf(need),
  );
}

test("a statement about one store, and a list, see what ownership and grants permit, and nothing else", async () => {
  const grant = (id: string, { subject, permission }: Grant) =>
    sql`INSERT INTO ${db.layout.ours.vector_store_permissions.reference}
        VALUES (${id}, ${subject}, ${permission}, now(), 'test')`.execute(db.run);
  await fc.assert(
    fc.asyncProperty(
      anyStores,
      anyOwner,
      fc.constantFrom(...storePermissions),
      fc.option(fc.array(fc.nat(5), { maxLength: 3 })),
      async (plan, by, need, picked) => {
        await database.exec("DELETE FROM vector_stores");
        const made: { id: string; owner: Owner; grants: Grant[] }[] = [];
        for (const { owner, grants } of plan) {
          const { id } = await insertStore(db, newStore(), owner, Date.now());
          for (const each of grants) await grant(id, each);
          made.push({ id, owner, grants });
        }
        const onlyStores = picked?.flatMap((i) => made[i]?.id ?? []) ?? null;
        const scope: Held = { kind: "held", by, need, onlyStores };
        const expected = made
          .filter(({ id, owner, grants }) => mayDo(by, need, owner, grants) && (onlyStores?.includes(id) ?? true))
          .map(({ id }) => id);
        const page = { limit: 100, order: "asc", after: null, before: null } as const;
        const { stores } = await listStores(db, scope, page);
        expect(stores.map(({ id }) => id).sort()).toEqual([...expected].sort());
        for (const { id } of made) {
          expect((await findStore(db, scope, id)) !== undefined).toBe(expected.includes(id));
        }
        const listed: Scope = { kind: "listed", stores: onlyStores ?? [], keyId: "k1" };
        const named = await listStores(db, listed, page);
        expect(named.stores.map(({ id }) => id).sort()).toEqual([...new Set(onlyStores ?? [])].sort());
      },
    ),
    { numRuns: 60 },
  );
});

test("an owner of nothing sees only what everyone may", async () => {
  await database.exec("DELETE FROM vector_stores");
  const { id } = await insertStore(db, newStore(), noOwner, Date.now());
  const scope: Held = { kind: "held", by: noOwner, need: "read", onlyStores: null };
  expect(await findStore(db, scope, id)).toBeUndefined();
});
