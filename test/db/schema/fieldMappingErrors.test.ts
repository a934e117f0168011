import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { StartupError } from "../../../src/words/errors.js";
import {
  type Columns,
  customNames,
  dropCustomTables,
  makeCustomTables,
  shapeOf,
  usualColumns,
} from "../../support/customTables.js";
import { type TestDatabase, createTestDatabase } from "../../support/database.js";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterEach(() => dropCustomTables(database));
afterAll(() => database.drop());

/** Starts on tables that do not fit. The database must stay as it was. @returns the error message */
async function refusal(columns: Partial<Columns>, environment: Record<string, string> = {}): Promise<string> {
  await makeCustomTables(database, { ...usualColumns, ...columns });
  return refusalAsItIs(environment);
}

async function refusalAsItIs(environment: Record<string, string> = {}): Promise<string> {
  const before = await shapeOf(database);
  const error = await database.open({ ...customNames, ...environment }).then(
    async ({ db }) => {
      await db.close();
      return new Error("the start succeeded");
    },
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(StartupError);
  expect(await shapeOf(database)).toEqual(before);
  return (error as Error).message;
}

const fields = Object.keys(customNames).filter((name) => name.startsWith("DB_FIELDS__"));

describe("a name that the table does not have", () => {
  test.each(fields)("%s: the message names the setting, the column and the existing columns", async (setting) => {
    const message = await refusal({}, { [setting]: "absent_one" });
    expect(message).toContain(`${setting} is "absent_one", but the table "table" has no column of that name`);
    expect(message).toContain("(it has: vector, Select, order, user, group, createdAt)");
  });

  test("in another case is another name", async () => {
    expect(await refusal({}, { DB_FIELDS__CONTENT_FIELD: "select" })).toContain('DB_FIELDS__CONTENT_FIELD is "select"');
  });

  test("may be that of a dropped column", async () => {
    await makeCustomTables(database, { ...usualColumns, further: ", extra text" });
    await database.exec('ALTER TABLE "table" DROP COLUMN extra');
    expect(await refusalAsItIs({ DB_FIELDS__CONTENT_FIELD: "extra" })).toContain('DB_FIELDS__CONTENT_FIELD is "extra"');
  });
});

describe("a table that we cannot work with", () => {
  test.each<[string, Partial<Columns>, string, Record<string, string>]>([
    ["DB_FIELDS__ID_FIELD", { id: "integer PRIMARY KEY" }, "int4", {}],
    ["DB_FIELDS__METADATA_FIELD", { metadata: "text" }, "text", {}],
    ["DB_FIELDS__EMBEDDING_FIELD", { further: ", other real[]" }, "_float4", { DB_FIELDS__EMBEDDING_FIELD: "other" }],
    ["DB_FIELDS__CREATED_AT_FIELD", { further: ", other date" }, "date", { DB_FIELDS__CREATED_AT_FIELD: "other" }],
    ["DB_FIELDS__CONTENT_FIELD", { further: ", other bytea" }, "bytea", { DB_FIELDS__CONTENT_FIELD: "other" }],
  ])("%s of a wrong type is refused with the setting and the type", async (setting, columns, type, environment) => {
    expect(await refusal(columns, environment)).toMatch(
      new RegExp(`^${setting}: the column .* has the type ${type}; it must be one of`),
    );
  });

  test.each(["text NOT NULL", "text"])(
    "an id column without a unique index (%s) is refused with the remedy",
    async (id) => {
      const message = await refusal({ id });
      expect(message).toContain(
        'DB_FIELDS__ID_FIELD: the column "order" of "table" has neither a primary key nor a unique index',
      );
      expect(message).toContain('CREATE UNIQUE INDEX ON "public"."table" ("group", "order")');
    },
  );

  test.each([
    ["of part of the rows", `CREATE UNIQUE INDEX ON "table" ("order") WHERE "Select" <> ''`],
    ["with a column that is not the store's", 'CREATE UNIQUE INDEX ON "table" ("order", "createdAt")'],
    ["of three columns", 'CREATE UNIQUE INDEX ON "table" ("group", "order", "createdAt")'],
    ["on an expression", 'CREATE UNIQUE INDEX ON "table" ("group", lower("order"))'],
    ["that is checked late", 'ALTER TABLE "table" ADD UNIQUE ("order") DEFERRABLE INITIALLY DEFERRED'],
  ])("a unique index %s does not do", async (_, statement) => {
    await makeCustomTables(database, { ...usualColumns, id: "text" });
    await database.exec(statement);
    expect(await refusalAsItIs()).toContain("neither a primary key nor a unique index");
  });

  test("a unique index that also includes other columns is accepted", async () => {
    await makeCustomTables(database, { ...usualColumns, id: "text" });
    await database.exec('CREATE UNIQUE INDEX ON "table" ("order") INCLUDE ("Select")');
    const { db } = await database.open(customNames);
    await db.close();
  });

  test("a column that must be filled and that we do not know is refused with the remedy", async () => {
    const message = await refusal({ further: ", tenant text NOT NULL" });
    expect(message).toContain('The column "tenant" of "table" must be filled but is unknown to this service');
    expect(message).toContain('ALTER TABLE "public"."table" ALTER COLUMN "tenant" SET DEFAULT');
  });

  test("the same in the table of stores", async () => {
    await makeCustomTables(database, usualColumns);
    await database.exec('ALTER TABLE "Knowledge" ADD COLUMN tenant text NOT NULL');
    expect(await refusalAsItIs()).toContain('The column "tenant" of "Knowledge" must be filled');
  });

  test("one with a default, an identity or a formula is filled by the database", async () => {
    await makeCustomTables(database, {
      ...usualColumns,
      further: `, tenant text NOT NULL DEFAULT 'a', n bigint GENERATED ALWAYS AS IDENTITY, l int NOT NULL GENERATED ALWAYS AS (length("Select")) STORED`,
    });
    const { db } = await database.open(customNames);
    await db.close();
  });

  test("a table of stores without id or name, or with columns of other types, is refused by name", async () => {
    await database.exec('CREATE TABLE "Knowledge" (key text PRIMARY KEY, name text NOT NULL)');
    expect(await refusalAsItIs()).toContain('DB_TABLES__VECTOR_STORES: the table "Knowledge" must have a column "id"');
    await dropCustomTables(database);
    await database.exec('CREATE TABLE "Knowledge" (id text PRIMARY KEY, name text NOT NULL, expires_at text)');
    expect(await refusalAsItIs()).toContain('The column "expires_at" of "Knowledge" has the type text');
    await dropCustomTables(database);
    await database.exec(
      'CREATE TABLE "Knowledge" (id text PRIMARY KEY, name text NOT NULL, created_at timestamp, expires_at timestamptz)',
    );
    expect(await refusalAsItIs()).toContain("must all be timestamps with time zone, or all without");
  });

  test("names changed after the migrations, so that the tables seem to be gone, stop the start", async () => {
    await makeCustomTables(database, usualColumns);
    const { db } = await database.open(customNames);
    await db.close();
    const message = await refusalAsItIs({ DB_TABLES__EMBEDDINGS: "elsewhere" });
    expect(message).toContain('The table "elsewhere" is gone although this schema\'s migrations have been applied');
  });
});
