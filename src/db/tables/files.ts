import { type ExpressionBuilder, sql } from "kysely";
import type { Owner, Scope } from "../../words/caller.js";
import type { StoredFile } from "../../words/file.js";
import { type Db, ours } from "../database.js";
import type { OurTables } from "../schema/ourTables.js";
import { epochMillis, instant } from "../expressions.js";
import { within } from "../scope.js";

const table = "vector_store_file_objects";
const attachments = "vector_store_files";
const files = (db: Db) => ours<typeof table | typeof attachments>(db, table);
type Columns = ExpressionBuilder<Pick<OurTables, typeof table | typeof attachments>, typeof table>;
/**
 * Whose files they are. A LiteLLM key that may use only some stores sees none of what is attached to others: their
 * contents are the files'.
 */
const visibleTo = (scope: Scope) => (eb: Columns) => {
  const [user, team, key] = [eb.ref("owner_user_id"), eb.ref("owner_team_id"), eb.ref("owner_key_id")];
  const own = within(scope, { user, team, key });
  const only = scope.kind === "held" ? scope.onlyStores : null;
  if (only === null) return own;
  const elsewhere = eb
    .selectFrom(attachments)
    .select("file_id")
    .whereRef(`${attachments}.file_id`, "=", `${table}.id`)
    .where(sql<boolean>`NOT (vector_store_id::text = ANY(${[...only]}::text[]))`);
  return eb.and([own, eb.not(eb.exists(elsewhere))]);
};
/** An expired file is gone, whether or not the sweep has removed it. */
const alive = (now: number) => (eb: Columns) =>
  eb.or([eb("expires_at", "is", null), eb("expires_at", ">", instant(now, true))]);

const columns = (eb: Columns) =>
  [
    "id",
    "filename",
    "purpose",
    "bytes",
    "content_hash as contentHash",
    "content",
    "in_directory as inDirectory",
    epochMillis(eb.ref("created_at")).as("createdAt"),
    sql<number | null>`${epochMillis(eb.ref("expires_at"))}`.as("expiresAt"),
  ] as const;

export async function insertFile(db: Db, file: StoredFile, owner: Owner): Promise<void> {
  await files(db)
    .insertInto(table)
    .values({
      id: file.id,
      owner_user_id: owner.userId,
      owner_team_id: owner.teamId,
      owner_key_id: owner.keyId,
      filename: file.filename,
      purpose: file.purpose,
      bytes: file.bytes,
      content_hash: file.contentHash,
      content: file.content,
      in_directory: file.inDirectory,
      created_at: instant(file.createdAt, true),
      expires_at: file.expiresAt === null ? null : instant(file.expiresAt, true),
    })
    .execute();
}

/** Files by id, in no particular order; those that are absent, expired or out of scope are left out. */
export async function findFiles(db: Db, scope: Scope, ids: readonly string[], now: number): Promise<StoredFile[]> {
  const possible = ids.filter((id) => !id.includes("\0"));
  return files(db)
    .selectFrom(table)
    .select(columns)
    .where("id", "=", sql<string>`ANY(${possible}::text[])`)
    .where(visibleTo(scope))
    .where(alive(now))
    .execute();
}

export interface FilePage {
  purpose: string | null;
  limit: number;
  order: "asc" | "desc";
  /** The id and creation time of a file, so that a page can continue after a file that has been deleted. */
  after: { id: string; madeAt: number } | null;
}

/** One page in the order of (created_at, id). Reads `limit + 1` rows to know whether there are more. */
export async function listFiles(
  db: Db,
  scope: Scope,
  { purpose, limit, order, after }: FilePage,
  now: number,
): Promise<{ files: StoredFile[]; hasMore: boolean }> {
  let query = files(db).selectFrom(table).select(columns).where(visibleTo(scope)).where(alive(now));
  if (purpose !== null) query = query.where("purpose", "=", purpose);
  if (after !== null) {
    const { id, madeAt } = after;
    query = query.where((eb) =>
      eb(eb.refTuple("created_at", "id"), order === "asc" ? ">" : "<", eb.tuple(instant(madeAt, true), id)),
    );
  }
  const rows = await query
    .orderBy("created_at", order)
    .orderBy("id", order)
    .limit(limit + 1)
    .execute();
  return { files: rows.slice(0, limit), hasMore: rows.length > limit };
}

/** @returns whose it was; undefined: it was not there. Its bytes are removed separately. */
export async function deleteFile(db: Db, scope: Scope, id: string): Promise<Owner | undefined> {
  return files(db)
    .deleteFrom(table)
    .where("id", "=", id)
    .where(visibleTo(scope))
    .returning(["owner_user_id as userId", "owner_team_id as teamId", "owner_key_id as keyId"])
    .executeTakeFirst();
}

/** Files that have expired, at most `limit`. */
export async function listExpiredFiles(db: Db, now: number, limit: number): Promise<StoredFile[]> {
  return files(db)
    .selectFrom(table)
    .select(columns)
    .where("expires_at", "<=", instant(now, true))
    .limit(limit)
    .execute();
}
