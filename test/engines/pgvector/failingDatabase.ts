import { CompiledQuery } from "kysely";
import type { Database, Db } from "../../../src/db/database.js";
import type { FailureKind } from "../../../src/engines/engine.js";

/** For each kind a SQLSTATE: too many connections, disk full, check constraint, undefined table. */
const sqlStates: Record<FailureKind, string> = { away: "53300", full: "53100", refused: "23514", gone: "42P01" };

/**
 * A database whose statements fail as they are told to: the server itself raises the error, so it goes through driver
 * and translation like any other.
 */
export function failingDatabase(real: Database): { db: Database; fail: (kind: FailureKind | null) => void } {
  let state: string | null = null;
  const raised = (on: Db) =>
    on.run.executeQuery(CompiledQuery.raw(`DO $$ BEGIN RAISE EXCEPTION 'as asked' USING ERRCODE = '${state}'; END $$`));
  const orFail =
    <T>(work: (db: Db) => Promise<T>) =>
    async (db: Db) => {
      if (state !== null) await raised(db);
      return work(db);
    };
  const executor = replaced(real.run.getExecutor(), "executeQuery", () => raised(real));
  const failing = replaced(real.run, "getExecutor", () => executor);
  const db: Database = {
    ...real,
    get run() {
      return state === null ? real.run : failing;
    },
    transaction: (work) => real.transaction(orFail(work)),
    reading: (settings, work) => real.reading(settings, orFail(work)),
    maintenance: (work) => real.maintenance(orFail(work)),
  };
  return { db, fail: (kind) => (state = kind === null ? null : sqlStates[kind]) };
}

/** The same object with another method. */
const replaced = <T extends object>(target: T, name: keyof T, method: unknown): T =>
  new Proxy(target, {
    get: (of, property) => {
      const value: unknown = property === name ? method : Reflect.get(of, property);
      return typeof value === "function" ? (value.bind(of) as unknown) : value;
    },
  });
