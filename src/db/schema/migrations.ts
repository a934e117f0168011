import { sql } from "kysely";
import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import type { Table } from "./tables.js";
import type { Executor } from "../executor.js";

const directory = new URL("../../../sql/", import.meta.url);

export interface Migration {
  version: number;
  name: string;
  text: string;
  checksum: string;
  /**
   * The oldest program that works on the migrated database, by its last migration. So a release can be rolled back, and
   * old and new ones run side by side during an upgrade. Set by a line `-- oldest program: 0003`; without one, it is
   * the migration itself.
   */
  oldestProgram: number;
  /** Changes only a table of rows that was not there before. Set by a line `-- only for new rows`. */
  onlyForNewRows: boolean;
}

export interface AppliedMigration {
  version: number;
  name: string;
  checksum: string;
  /** Null: recorded by a program that did not have this column yet. */
  oldestProgram: number | null;
}

export async function appliedMigrations(tx: Executor, table: Table): Promise<AppliedMigration[]> {
  // Through JSON, because a table made by an older program lacks the column.
  const { rows } = await sql<AppliedMigration>`
    SELECT version, name, checksum, (to_jsonb(m) ->> 'oldest_program')::integer AS "oldestProgram"
    FROM ${table.reference} AS m ORDER BY version`.execute(tx);
  return rows;
}

/** Whether a program whose own migrations end at `newest` works on a database with this migration. */
export const servesProgram = ({ oldestProgram }: AppliedMigration, newest: number): boolean =>
  oldestProgram !== null && oldestProgram <= newest;

/**
 * The files of sql/, in order. The checksum is of the text before names are filled in, so it is the same in every
 * installation.
 */
export function readMigrations(): Migration[] {
  return readdirSync(directory)
    .filter((file) => /^\d{4}_\w+\.sql$/.test(file))
    .sort()
    .map((file) => {
      const text = readFileSync(new URL(file, directory), "utf8");
      const version = Number(file.slice(0, 4));
      return {
        version,
        name: file.slice(5, -4),
        text,
        checksum: createHash("sha256").update(text.replaceAll("\r\n", "\n")).digest("hex"),
        oldestProgram: Number(/^-- oldest program: (\d{4})$/m.exec(text)?.[1] ?? version),
        onlyForNewRows: /^-- only for new rows$/m.test(text),
      };
    });
}
