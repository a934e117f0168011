import type { OpenAI } from "openai";
import { z } from "zod";

/** A vector store in this server's answers: OpenAI's object with the state of its index. */
export type Store = OpenAI.VectorStore & {
  index?: { state: string; keywords?: string; indexed?: number; fresh?: number };
};

/** The state of a store's index; "-" if the server does not say. */
export const indexState = (store: Store): string => store.index?.state ?? "-";

/** The part of `indexing` in /health that the command line shows. */
const indexing = z.object({
  stores: z.object({ none: z.number(), waiting: z.number(), building: z.number(), ready: z.number() }),
  builds: z.array(z.object({ phase: z.string(), percent: z.number().nullable() })),
});
export type Indexing = z.output<typeof indexing>;

/** The state of indexes in an answer of /health; null if it is missing or unreadable. */
export function readIndexing(health: unknown): Indexing | null {
  const answer = z.object({ indexing }).safeParse(health);
  return answer.success ? answer.data.indexing : null;
}

/** The build with the least progress; undefined if none is under way. */
export function slowestBuild({ builds }: Indexing): { phase: string; progress: string } | undefined {
  const [least] = [...builds].sort((a, b) => (a.percent ?? 0) - (b.percent ?? 0));
  return least && { phase: least.phase, progress: least.percent === null ? "" : `${Math.floor(least.percent)} %` };
}
