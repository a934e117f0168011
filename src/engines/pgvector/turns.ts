import { type RawBuilder, sql } from "kysely";
import type { Db } from "../../db/database.js";

/**
 * Whoever puts chunks whose ids others may put at the same time takes a shared turn: it inserts first, so that many can
 * insert at once, and locks the store afterwards. If its rows are removed in between, it starts again with a turn
 * alone, in which it locks the store first. That is safe only while no other one has inserted rows and waits for the
 * store: the two would wait for each other.
 */

/** The first half of the key of the advisory locks; any number that nobody else uses. */
const space = 1_986_356_083;

/** Ids that are unique over all stores are put by writers of other stores too. */
const key = ({ layout: { embeddings } }: Db, storeId: string) =>
  sql`${space}::int, hashtext(${embeddings.idsPerStore ? storeId : ""}::text)`;

/** True, once the transaction has a shared turn. It is evaluated before the first row of a statement is made. */
export const hasSharedTurn = (tx: Db, storeId: string): RawBuilder<boolean> =>
  sql`(SELECT pg_advisory_xact_lock_shared(${key(tx, storeId)})) IS NOT NULL`;

/** Waits until all others have finished; those who come later wait until the transaction ends. */
export async function takeTurnAlone(tx: Db, storeId: string): Promise<void> {
  await sql`SELECT pg_advisory_xact_lock(${key(tx, storeId)})`.execute(tx.run);
}
