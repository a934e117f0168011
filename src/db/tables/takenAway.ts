import { type RawBuilder, sql } from "kysely";
import { type Db } from "../database.js";
import { epochMillis } from "../expressions.js";

/**
 * Whether the log of acts says that a subject lost a permission on a store: it was revoked, or everything that the
 * subject had was erased or handed over. As conditions of their own, so that PostgreSQL reads the log once for all.
 */
export const takenAway = (
  audit: RawBuilder<unknown>,
  { storeId, subject }: { storeId: RawBuilder<unknown>; subject: RawBuilder<unknown> },
): RawBuilder<boolean> => sql<boolean>`(
  EXISTS (SELECT 1 FROM ${audit} AS a
          WHERE a.action = 'permission.revoke' AND a.target = ${storeId} AND a.details ->> 'subject' = ${subject})
  OR EXISTS (SELECT 1 FROM ${audit} AS a
             WHERE a.action IN ('owner.erase', 'owner.transfer') AND a.target = ${subject}))`;

/** When everything of these subjects was erased, last, in Unix milliseconds. Never: they are missing. */
export async function listErasures(db: Db, subjects: readonly string[]): Promise<Map<string, number>> {
  const { rows } = await sql<{ subject: string; at: number }>`
    SELECT a.target AS subject, ${epochMillis(sql`max(a.at)`)} AS at
    FROM ${db.layout.ours.vector_store_audit.reference} AS a
    WHERE a.action = 'owner.erase' AND a.target = ANY(${[...subjects]}::text[]) GROUP BY a.target`.execute(db.run);
  return new Map(rows.map(({ subject, at }) => [subject, at]));
}
