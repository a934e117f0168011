import type { ImportProgress, ImportRequest, ImportResult } from "../../src/core/transfer/importRequest.js";
import { importRows } from "../../src/core/transfer/importRows.js";
import { toNetworkOrder } from "../../src/numbers/float32.js";
import type { TransferPage, TransferRow, TransferSource, TransferStore } from "../../src/words/rows.js";
import { testDimensions } from "./settings.js";
import { testVector } from "./vectors.js";
import { type TestService } from "./service.js";

/** The command line's defaults. */
const importRequest = (overrides: Partial<ImportRequest> = {}): ImportRequest => ({
  store: null,
  storeName: null,
  embeddingModel: null,
  embed: false,
  idPrefix: "",
  onConflict: "error",
  verify: true,
  writers: 3,
  dryRun: false,
  restart: false,
  signal: new AbortController().signal,
  ...overrides,
});

export const transferRow = (n: number, overrides: Partial<TransferRow> = {}): TransferRow => ({
  at: `row ${n}`,
  key: String(n),
  id: `row-${n}`,
  storeId: null,
  content: `content ${n}`,
  metadata: `{"n": ${n}}`,
  vector: toNetworkOrder(Float32Array.from(testVector(n + 1, testDimensions))),
  createdAt: 1_700_000_000_000_000 + n,
  ...overrides,
});

export const transferStore = (id: string, overrides: Partial<TransferStore> = {}): TransferStore => ({
  id,
  name: id,
  description: null,
  metadata: null,
  ownerUserId: null,
  ownerTeamId: null,
  ownerKeyId: null,
  expiresAfter: null,
  createdAt: null,
  embeddingModel: null,
  embeddingDimensions: null,
  asksDimensions: false,
  prompts: null,
  search: null,
  ...overrides,
});

/** A source of rows in memory. @param onPage called before each page is given */
export function sourceOf(
  rows: readonly TransferRow[],
  options: { pageRows?: number; stores?: TransferStore[]; name?: string; onPage?: (from: number) => unknown } = {},
): TransferSource {
  const { pageRows = 10, stores = [], name = "memory", onPage } = options;
  return {
    name,
    origin: name,
    identity: name,
    total: { amount: rows.length, unit: "rows" },
    repeatable: true,
    withoutEmbedding: 0,
    dimensions: null,
    canonical: false,
    async *pages(after): AsyncGenerator<TransferPage> {
      const begin = after === null ? 0 : Number(after);
      if (stores.length > 0) yield { stores, rows: [], position: after, done: begin };
      for (let from = begin; from < rows.length; from += pageRows) {
        await onPage?.(from);
        const next = Math.min(from + pageRows, rows.length);
        yield { stores: [], rows: rows.slice(from, next), position: next, done: next };
      }
    },
    close: () => Promise.resolve(),
  };
}

export const importInto = (
  service: Pick<TestService, "deps">,
  source: TransferSource,
  request: Partial<ImportRequest> = {},
  onProgress: (progress: ImportProgress) => void = () => undefined,
): Promise<ImportResult> => importRows(service.deps, source, importRequest(request), onProgress);
