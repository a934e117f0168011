import type { OpenAI } from "openai";
import { z } from "zod";

/** A vector store as this server answers it: OpenAI's object, with what its index is doing. */
export type Store = OpenAI.VectorStore & {
  index?: { state: string; keywords?: string; indexed?: number; fresh?: number };
};

export const indexState = (store: Store): string => store.index?.state ?? "-";

/** `indexing` of /health, as far as the command line shows it. */
const indexing = z.object({
  stores: z.object({ none: z.number(), waiting: z.number(), building: z.number(), ready: z.number() }),
  builds: z.array(z.object({ phase: z.string(), percent: z.number().nullable() })),
});
export type Indexing = z.output<typeof indexing>;

/** What an answer of /health says of indexes; null when it says nothing that could be read. */
export function readIndexing(health: unknown): Indexing | null {
  const answer = z.object({ indexing }).safeParse(health);
  return answer.success ? answer.data.indexing : null;
}

/** The build that is least far; undefined while there is none. */
export function slowestBuild({ builds }: Indexing): { phase: string; progress: string } | undefined {
  const [least] = [...builds].sort((a, b) => (a.percent ?? 0) - (b.percent ?? 0));
  return least && { phase: least.phase, progress: least.percent === null ? "" : `${Math.floor(least.percent)} %` };
}
