import type { QueryExecutorProvider } from "kysely";

/** What a statement written as SQL can run on: the pool, one connection, or a transaction. */
export type Executor = QueryExecutorProvider;

export type DatabaseKind = "postgres" | "pglite";
