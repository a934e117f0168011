import { toNetworkOrder } from "../../src/numbers/float32.js";
import type { ExportOutput, WrittenRows } from "../../src/rows/exportFile.js";
import { type TransferRow, type TransferStore, addChecksums, noChecksum } from "../../src/words/rows.js";

const storeOf = (id: string, metadata: string | null): TransferStore => ({
  id,
  name: `Store ${id}`,
  description: null,
  metadata,
  ownerUserId: null,
  ownerTeamId: null,
  ownerKeyId: null,
  expiresAfter: null,
  createdAt: 1_750_000_000_123_456,
  embeddingModel: null,
  embeddingDimensions: 2,
  asksDimensions: false,
  prompts: null,
  search: null,
});

export const stores = [storeOf("vs_one", '{"n": 12345678901234567890}'), storeOf("vs_two", null)];

const rowOf = (n: number): TransferRow => ({
  at: "",
  key: "",
  id: `row-${n}`,
  storeId: null,
  content: `content ${n}\n"größe"`,
  metadata: `{"n": ${n}}`,
  vector: toNetworkOrder(Float32Array.of(n, 1 / (n + 1))),
  createdAt: 1_750_000_000_000_001 + n,
});

/** Pages of three rows; those of the two stores take turns. */
export const pagesOf = (count: number): WrittenRows[] =>
  Array.from({ length: count }, (_, page) => {
    const store = stores[page % 2];
    if (store === undefined) throw new Error("no store");
    const rows = [0, 1, 2].map((i) => ({ ...rowOf(3 * page + i), storeId: store.id }));
    return { store, rows, position: { page }, checksum: (page + 1).toString(16).padStart(16, "0") };
  });

export const rowsOfPages = (pages: readonly WrittenRows[]): TransferRow[] => pages.flatMap((page) => page.rows);

export const checksumOf = (pages: readonly WrittenRows[]): string =>
  pages.reduce((sum, page) => addChecksums(sum, page.checksum), noChecksum);

/** The pages after the position that an output has begun with. */
export function pagesAfter(pages: readonly WrittenRows[], { begun }: ExportOutput): readonly WrittenRows[] {
  const last = begun.position as { page: number } | null;
  return pages.slice(last === null ? 0 : last.page + 1);
}
