import { APIError } from "openai";
import { z } from "zod";
import { exactBody, type Server } from "./connection.js";
import { evaluate, type Evaluation, mean, median } from "./evaluation.js";
import { notOurs } from "./failures.js";
import { CommandError, type Io } from "./io.js";
import { bar, progressLine } from "./progress.js";
import type { Question } from "./questions.js";

/** What to search, and how. */
export interface EvalRequest {
  server: Server;
  storeId: string;
  k: number;
  /** The questions' file, as messages name it. */
  source: string;
  modes: readonly string[];
  /** Modes to leave out, with a note, if the server has no rerank model. */
  mayLeaveOut: readonly string[];
}

/** The means over all questions. */
export interface ModeFigures {
  mode: string;
  recall: number;
  mrr: number;
  ndcg: number;
  medianMs: number;
}

/** A question with the outcomes of its searches, by mode. */
export interface Answered {
  question: Question;
  searches: Map<string, Evaluation & { ms: number }>;
}

const atOnce = 4;

/** Searches every question in every mode. @throws CommandError for the first search that fails */
export async function evaluateModes(
  request: EvalRequest,
  questions: readonly Question[],
  io: Io,
): Promise<{ figures: ModeFigures[]; answered: Answered[] }> {
  const answered: Answered[] = questions.map((question) => ({ question, searches: new Map() }));
  const leftOut = new Map<string, string>();
  const line = progressLine(io);
  const stop = new AbortController();
  // One signal per search: the client never removes its listener, and Node warns about many on one signal.
  const ownSignal = () => AbortSignal.any([stop.signal]);
  let [next, done] = [0, 0];
  const work = async () => {
    for (let each = answered[next++]; each !== undefined; each = answered[next++]) {
      await embed(request, each.question, ownSignal());
      for (const mode of request.modes) {
        if (leftOut.has(mode)) continue;
        const outcome = await search(request, each.question, mode, ownSignal());
        if ("missing" in outcome) leftOut.set(mode, outcome.missing);
        else each.searches.set(mode, outcome);
      }
      done += 1;
      if (!stop.signal.aborted) line?.show(`${bar(done, questions.length)} questions`);
    }
  };
  try {
    line?.show(`${bar(0, questions.length)} questions`);
    await Promise.all(Array.from({ length: Math.min(atOnce, questions.length) }, work));
  } finally {
    // After a failure, searches still under way are useless and would keep the process alive.
    stop.abort();
    line?.clear();
  }
  for (const [mode, reason] of leftOut) {
    io.stderr.write(`The mode ${mode} is left out: ${reason}\n`);
    for (const { searches } of answered) searches.delete(mode);
  }
  const figures = request.modes
    .filter((mode) => !leftOut.has(mode))
    .map((mode) =>
      sumUp(
        mode,
        answered.flatMap(({ searches }) => searches.get(mode) ?? []),
      ),
    );
  return { figures, answered };
}

function sumUp(mode: string, searches: readonly (Evaluation & { ms: number })[]): ModeFigures {
  return {
    mode,
    recall: mean(searches.map((each) => each.recall)),
    mrr: mean(searches.map((each) => each.reciprocalRank)),
    ndcg: mean(searches.map((each) => each.ndcg)),
    medianMs: median(searches.map((each) => each.ms)),
  };
}

/**
 * Has the server embed and cache a question. Without this, the first mode would wait for the model and look slower than
 * the others. A failure is ignored here: the searches that count report it.
 */
async function embed(request: EvalRequest, { query }: Question, signal: AbortSignal): Promise<void> {
  const { server, storeId, modes } = request;
  if (modes.every((mode) => mode === "keyword")) return;
  const body = { query, max_num_results: 1, rerank: false, ranking_options: { search_mode: "vector" } };
  await server.client.post(pathOf(storeId), { body, signal }).catch(() => undefined);
}

const pathOf = (storeId: string) => `/vector_stores/${encodeURIComponent(storeId)}/search`;

const page = z.object({
  object: z.literal("vector_store.search_results.page"),
  data: z.array(
    z
      .object({
        id: z.string().nullish(),
        file_id: z.string().nullish(),
        filename: z.string().nullish(),
        content: z.array(z.object({ text: z.string() })),
      })
      .transform(({ content, ...names }) => ({ ...names, text: content.map((part) => part.text).join(" ") })),
  ),
});

async function search(
  request: EvalRequest,
  { query, filters, items, line }: Question,
  mode: string,
  signal: AbortSignal,
): Promise<(Evaluation & { ms: number }) | { missing: string }> {
  const { server, k } = request;
  const body = {
    query,
    max_num_results: k,
    ...(filters && { filters }),
    ...(mode === "reranked" ? { rerank: "required" } : { rerank: false, ranking_options: { search_mode: mode } }),
  };
  // Why the server refused; the CommandError has only the sentence.
  const refusal: { code?: unknown; param?: unknown } = {};
  const started = performance.now();
  try {
    const answer = await server.ask((client) =>
      client.post<unknown>(pathOf(request.storeId), { ...exactBody(body), signal }).catch((error: unknown) => {
        if (error instanceof APIError) Object.assign(refusal, { code: error.code, param: error.param });
        throw error;
      }),
    );
    const ms = Math.round((performance.now() - started) * 100) / 100;
    const results = page.safeParse(answer);
    if (!results.success) throw notOurs(server.url, "without search results");
    return { ...evaluate(items, results.data.data, k), ms };
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    if (refusal.code === "no_rerank_model" && request.mayLeaveOut.includes(mode)) return { missing: error.message };
    if (/^(query|filters)\b/.test(String(refusal.param)))
      throw new CommandError(`${request.source}, line ${line}: ${error.message}`);
    throw error;
  }
}
