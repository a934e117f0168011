/**
 * The service of the import suites: a suite that imports this module gets one, started before its tests and emptied
 * before each.
 */
import { afterAll, beforeAll, beforeEach } from "@jest/globals";
import type { TransferRow } from "../../../src/words/rows.js";
import { type TestService, startService } from "../../support/service.js";
import { transferRow } from "../../support/transfer.js";

export let service: TestService;
beforeAll(async () => {
  service = await startService();
});
beforeEach(async () => {
  await service.database.exec("DELETE FROM embeddings; DELETE FROM vector_stores; DELETE FROM vector_store_imports");
});
afterAll(() => service.close());

export const rows = (count: number, overrides: (n: number) => Partial<TransferRow> = () => ({})) =>
  Array.from({ length: count }, (_, n) => transferRow(n, overrides(n)));
export const bytes = (all: readonly TransferRow[]) => all.reduce((sum, row) => sum + Buffer.byteLength(row.content), 0);
