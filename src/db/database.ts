import type { Kysely, Transaction } from "kysely";
import type { DatabaseKind } from "./executor.js";
import type { Layout } from "./schema/layout.js";
import type { OurTable, OurTables } from "./schema/ourTables.js";

/** What a statement needs: something to run on, and the names to use. */
export interface Db {
  run: Kysely<OurTables> | Transaction<OurTables>;
  layout: Layout;
}

/** An open database: PostgreSQL, or the embedded PGlite. */
export interface Database extends Db {
  kind: DatabaseKind;
  transaction<T>(work: (tx: Db) => Promise<T>): Promise<T>;
  /**
   * A short read-only transaction, under settings that end with it (`SET LOCAL`, so nothing stays on a connection, even
   * behind PgBouncer). It begins with one message, and its answer does not wait for the commit.
   */
  reading<T>(settings: Readonly<Record<string, string | number>>, work: (tx: Db) => Promise<T>): Promise<T>;
  /**
   * For building indexes: outside any transaction and without a time limit, on a separate connection that is opened
   * when needed.
   */
  maintenance<T>(work: (db: Db) => Promise<T>): Promise<T>;
  /**
   * Asks whether the database works, on a connection that no request takes. Having all connections busy is not a
   * failure.
   * @returns the server's version, as last heard
   * @throws if neither this question nor any other statement is answered within the limit
   */
  ping(limitMs: number): Promise<string>;
  /**
   * Gives the space of deleted rows and of old WAL back, on the embedded database; elsewhere PostgreSQL does it itself.
   * @returns how many statements that took
   */
  giveBack(): Promise<number>;
  close(): Promise<void>;
}

/** One of our tables for Kysely's builder, in the schema where this database has it. */
export const ours = <T extends OurTable>(db: Db, table: T): Kysely<Pick<OurTables, T>> =>
  db.run.withSchema(db.layout.ours[table].schema) as unknown as Kysely<Pick<OurTables, T>>;
