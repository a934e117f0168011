import type { ColumnType, ExpressionBuilder, Generated, RawBuilder } from "kysely";
import type {
  Attributes,
  CuttingPlan,
  FileStatus,
  IngestSettings,
  LastError,
  StoreFile,
  Upload,
} from "../../words/file.js";
import type { Limits } from "../../words/limit.js";
import type { SessionRole } from "../../words/session.js";
import type { KeyScope, Payer, StorePermission } from "../../words/caller.js";

/** A timestamptz column: written by `instant`, read by `epochMillis`. */
type Moment = ColumnType<Date, RawBuilder<Date>>;
type OptionalMoment = ColumnType<Date | null, RawBuilder<Date> | null>;
/** A jsonb column: written by `jsonb`, read as a value. */
type Json<T> = ColumnType<T, RawBuilder<unknown>>;

/**
 * The tables that are always ours, with fixed names and columns (from sql/0003_files.sql on). Statements
 * on them are written with Kysely's builder, so that a misspelt column is a compile error; the few in SQL say why. The
 * two tables of a litellm-pgvector database have names and types that settings and owners choose; statements on those
 * are written as SQL.
 */
export interface OurTables {
  vector_store_file_objects: {
    id: string;
    owner_user_id: string | null;
    owner_team_id: string | null;
    owner_key_id: string | null;
    filename: string;
    purpose: string;
    bytes: number;
    content_hash: Buffer;
    content: string;
    in_directory: boolean;
    created_at: Moment;
    expires_at: OptionalMoment;
  };
  vector_store_file_slices: { content: string; number: number; bytes: Buffer; written_at: Moment };
  vector_store_uploads: {
    id: string;
    owner_user_id: string | null;
    owner_team_id: string | null;
    owner_key_id: string | null;
    filename: string;
    purpose: string;
    bytes: number;
    mime_type: string;
    status: Upload["status"];
    created_at: Moment;
    expires_at: Moment;
    file_expires_after: number | null;
    file_id: Generated<string | null>;
  };
  vector_store_upload_parts: {
    id: string;
    upload_id: string;
    content: string;
    in_directory: boolean;
    bytes: number;
    created_at: Moment;
  };
  vector_store_file_batches: { id: string; vector_store_id: string; created_at: Moment; cancelled: boolean };
  vector_store_files: {
    vector_store_id: string;
    file_id: string;
    batch_id: string | null;
    filename: string;
    content_hash: Buffer | null;
    created_at: Moment;
    status: FileStatus;
    error_code: LastError["code"] | null;
    error_message: string | null;
    attributes: Json<Attributes | null>;
    settings: Json<IngestSettings>;
    same_as: Generated<string | null>;
    replaces: boolean;
    chunk_count: Generated<number>;
    content_bytes: Generated<number>;
    chunks_total: Generated<number | null>;
    stage: StoreFile["stage"];
    chunk_base: string;
    made_by: Generated<number | null>;
    plan: ColumnType<CuttingPlan | null, RawBuilder<unknown> | undefined>;
    lease: Generated<string | null>;
    lease_until: Generated<Date | null>;
    taken_at: Generated<Date | null>;
    run_after: Moment;
    attempts: Generated<number>;
    payer: ColumnType<Payer | null, RawBuilder<unknown> | undefined, RawBuilder<unknown> | undefined>;
  };
  vector_store_file_descriptions: { vector_store_id: string; file_id: string; picture: Buffer; description: string };
  vector_store_replaced: { vector_store_id: string; id: string };
  vector_store_imports: {
    fingerprint: string;
    source: string;
    position: ColumnType<unknown, RawBuilder<unknown> | undefined>;
    counts: ColumnType<unknown, RawBuilder<unknown> | undefined>;
    lease: string | null;
    lease_until: ColumnType<Date | null, RawBuilder<Date> | null | undefined>;
    started_at: Moment;
    finished_at: ColumnType<Date | null, RawBuilder<Date> | null | undefined>;
  };
  vector_store_left_chunks: { vector_store_id: string; file_id: string; chunk_base: string };
  vector_store_permissions: {
    vector_store_id: string;
    subject: string;
    permission: StorePermission;
    granted_at: Moment;
    granted_by: string;
  };
  vector_store_usage_events: { id: string; at: Moment };
  vector_store_usage_days: { day: Date };
  vector_store_minted_keys: { hash: string; ends_at: Moment };
  vector_store_keys: {
    id: string;
    name: string;
    hash: Buffer;
    ending: string;
    /** With "user:" before it for a key that requires an identity, which older programs then give no right. */
    scope: KeyScope | `user:${KeyScope}`;
    stores: ColumnType<string[] | null, readonly string[] | null>;
    created_at: Moment;
    created_by: string;
    expires_at: OptionalMoment;
    last_used_at: ColumnType<Date | null, undefined, RawBuilder<Date>>;
    old_hash: ColumnType<Buffer | null, undefined, Buffer>;
    old_until: ColumnType<Date | null, undefined, RawBuilder<Date>>;
  };
  vector_store_audit: {
    id: string;
    at: Moment;
    actor: string;
    action: string;
    target: string;
    details: Json<Record<string, unknown>>;
    address: string | null;
    request_id: string | null;
  };
  vector_store_sessions: {
    id: string;
    hash: Buffer;
    sealed: Buffer;
    name: string;
    role: SessionRole;
    created_at: Moment;
    last_used_at: Moment;
    expires_at: Moment;
    address: string | null;
    user_agent: string | null;
  };
  vector_store_limits: { subject: string; limits: Json<Partial<Limits>>; set_at: Moment; set_by: string };
  vector_store_batch_files: { batch_id: string; vector_store_id: string; file_id: string };
}

export type OurTable = keyof OurTables;

/** Names the columns of one of our tables, for conditions and select lists that several statements share. */
export type ColumnsOf<T extends OurTable> = ExpressionBuilder<Pick<OurTables, T>, T>;
