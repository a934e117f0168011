import type { RawBuilder } from "kysely";
import type { DatabaseKind } from "../executor.js";
import type { IdType } from "./ids.js";
import type { OurTable } from "./ourTables.js";
import { type Table, type Tables, beside } from "./tables.js";

/** Names in this database, quoted for SQL, and the types that an adopted table may have chosen. */
export interface Layout {
  vectorStores: {
    table: RawBuilder<unknown>;
    idType: IdType;
    /** True for timestamptz; litellm-pgvector's columns are timestamps without zone, in UTC. */
    zoned: boolean;
  };
  embeddings: {
    table: RawBuilder<unknown>;
    quotedTable: string;
    id: RawBuilder<string>;
    content: RawBuilder<string>;
    /** Cast to jsonb, which costs nothing where it is one already. */
    metadata: RawBuilder<unknown>;
    /** Bare columns, as SET names them. */
    bareContent: RawBuilder<unknown>;
    bareMetadata: RawBuilder<unknown>;
    bareEmbedding: RawBuilder<unknown>;
    embedding: RawBuilder<unknown>;
    vectorStoreId: RawBuilder<string>;
    createdAt: RawBuilder<unknown>;
    /** Bare column names in the order of an INSERT: id, store, content, embedding, metadata, created_at. */
    insertColumns: RawBuilder<unknown>;
    /** Whether ids are unique in each store; false: over all stores, in a table whose key is the id alone. */
    idsPerStore: boolean;
    /** The bare columns of that key, as ON CONFLICT names them. */
    keyColumns: RawBuilder<unknown>;
    idType: IdType;
    idSequence: string | null;
    vectorStoreIdType: IdType;
    metadataType: "json" | "jsonb";
    zoned: boolean;
    /** The column's own limit, `vector(1536)`; null if it takes any dimension. */
    dimensions: number | null;
    /** The bare metadata column as jsonb, for an index on it, and that index. */
    metadataColumn: RawBuilder<unknown>;
    metadataIndex: Table;
    /** The index on the ranges of one key. All their names begin with its name without a suffix. */
    rangeIndex: (suffix: string) => Table;
    /** The bare column, for an index on it. */
    vectorStoreIdColumn: RawBuilder<unknown>;
    /** The OID of `vector`, which differs from one database to the next. */
    vectorOid: number;
  };
  derived: Derived;
  ours: Readonly<Record<OurTable, Table>>;
}

/** The tables derived from the record for search. */
export interface Derived {
  /** Shared by all stores: their vectors, or only the fresh ones of a store with its own table. */
  vectors: RawBuilder<unknown>;
  /** A store's own table. */
  ownVectors: (number: number) => Table;
  /** The sequence that numbers them. */
  vectorsNumbers: string;
  keywords: RawBuilder<unknown>;
  /**
   * halfvec on a server: half the size, and indexed up to 4,000 dimensions. vector in the embedded database, where
   * halfvec is converted in software (124 ms instead of 28 for 10,000 rows).
   */
  vectorType: "halfvec" | "vector";
}

/** Names and types of the derived tables. */
export function describeDerived(tables: Tables, kind: DatabaseKind): Derived {
  return {
    vectors: tables.vectors.reference,
    ownVectors: (number) => beside(tables.vectors, `${tables.vectors.name}_${number}`),
    vectorsNumbers: beside(tables.vectors, `${tables.vectors.name}_numbers`).quoted,
    keywords: tables.keywords.reference,
    vectorType: derivedVectorType(kind),
  };
}

/**
 * What pgvector can index: 4,000 dimensions in half precision, 2,000 in single. A store with more is searched exactly.
 */
export const maxIndexDimensions = (type: Derived["vectorType"]): number => (type === "halfvec" ? 4000 : 2000);

export const derivedVectorType = (kind: DatabaseKind) => (kind === "pglite" ? "vector" : "halfvec");
