import { z } from "zod";
import type { IndexSummary } from "../../words/indexing.js";

export const indexingAnswer = z.object({
  stores: z
    .object({ none: z.int(), waiting: z.int(), building: z.int(), ready: z.int() })
    .describe("vector stores by the state of their index; `none`: searched exactly, row by row"),
  keywords_building: z.int().describe("vector stores whose keyword index is being built"),
  builds: z
    .array(
      z.object({
        phase: z.string().describe("PostgreSQL's name for the phase"),
        done: z.int(),
        total: z.int().describe("rows or blocks; 0 if not known yet"),
        percent: z.number().nullable(),
      }),
    )
    .describe("running index builds in this database"),
});

/** The state of all indexes. */
export function presentIndexing(state: IndexSummary): z.input<typeof indexingAnswer> {
  return {
    stores: state.stores,
    keywords_building: state.keywordsBuilding,
    builds: state.builds.map(({ phase, done, total }) => ({
      phase,
      done,
      total,
      percent: total > 0 ? Math.min(100, Math.round((done / total) * 1000) / 10) : null,
    })),
  };
}
