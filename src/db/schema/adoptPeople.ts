import type { Log } from "../../process/log.js";
import { grantOf, namePermission } from "../../words/takenOver.js";
import type { Db } from "../database.js";
import { findPeople, pagesOf, readPermissions, usesLeftOut, usesSince } from "../source/people.js";
import type { SourceTable } from "../source/sourceTable.js";
import { addGrants } from "../tables/permissions.js";
import { addUsage } from "../tables/usage.js";
import type { Tables } from "./tables.js";

const dayMs = 86_400_000;

/** Of rows that are left out, this many are named. */
export const mostNamed = 10;

/** The first names of all, and how many more there are. */
export const firstOf = (names: readonly string[], count: number): string =>
  `${names.join(", ")}${count > names.length ? ` and ${count - names.length} more` : ""}`;

interface Options {
  retentionDays: number;
  /** Unix milliseconds. */
  now: number;
}

/** Says which rows have no meaning here. */
function tellLeftOut(log: Log, table: SourceTable, left: { count: number; names: readonly string[] }, remedy: string) {
  const { count, names } = left;
  if (count === 0) return;
  const rows = `${count} ${count === 1 ? "row" : "rows"} of ${table.quoted}`;
  log.warn(`${rows} could not be taken over: ${firstOf(names, count)}. ${remedy}`);
}

/**
 * Makes permissions of litellm-vector-store's `store_permissions`, and usage of its `usage_stats`, as far as it would
 * not be swept at once. Both tables stay as they are.
 * @returns numbers for the log; null if it has neither table
 */
export async function takePeople(tx: Db, tables: Tables, options: Options, log: Log): Promise<object | null> {
  const people = await findPeople(tx.run, tables.vectorStores);
  if (people.permissions === null && people.usage === null) return null;
  return {
    ...(people.permissions !== null && { permissions: await takePermissions(tx, people.permissions, options, log) }),
    ...(people.usage !== null && (await takeUses(tx, people.usage, options, log))),
  };
}

async function takePermissions(tx: Db, table: SourceTable, { now }: Options, log: Log): Promise<number> {
  const left = { count: 0, names: [] as string[] };
  let granted = 0;
  for await (const { rows } of pagesOf((after) => readPermissions(tx.run, table, after), null)) {
    const grants = rows.flatMap((row) => {
      const grant = grantOf(row);
      if (grant !== null) return grant;
      left.count += 1;
      if (left.names.length < mostNamed) left.names.push(namePermission(row));
      return [];
    });
    granted += (await addGrants(tx, grants, { by: "adoption", now })).length;
  }
  tellLeftOut(log, table, left, "Grant what they meant with PUT /v1/vector_stores/{id}/permissions/user:{id}.");
  return granted;
}

async function takeUses(tx: Db, table: SourceTable, { now, retentionDays }: Options, log: Log) {
  const since = now - retentionDays * dayMs;
  const requests = await addUsage(tx, usesSince(table, since));
  const { old, unusable, ids } = await usesLeftOut(tx.run, table, { since, named: mostNamed });
  tellLeftOut(log, table, { count: unusable, names: ids }, "They have no time, or a number that is none.");
  return { requests, requests_older_than_retention: old };
}
