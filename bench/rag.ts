import { tokenCounter } from "../src/chunking/tokens.js";
import { chatModel, startAnswerModels } from "./answerModels.js";
import { type Asked, type Asking, type AskingKind, askingKinds, createAsking, lookAtAnswers } from "./asking.js";
import { cleanUp } from "./cleanup.js";
import type { Source } from "./data.js";
import { createTarget } from "./database.js";
import { createFilledStore } from "./fill.js";
import { type Measured, mean, measure, peakDuring, percentiles } from "./load.js";
import { createLongRows } from "./longRows.js";
import { type Report, atMost, makeTable } from "./results.js";
import type { Pace } from "./searching.js";
import { startService } from "./service.js";

export interface RagOptions extends Pace {
  databaseUrl: string;
  settings: Record<string, string>;
  rows: number;
  clients: number[];
  /** Number of chunks to search for. */
  topK: number;
  /** Context window of the rerank model, in tokens. */
  rerankWindow: number;
}

const dimensions = 1536;
/** Requests of each kind until the code is compiled. */
const untilWarm = 300;
const lookedAt = 50;

type Percentiles = Pick<Measured, "p50" | "p95" | "p99">;
interface Reading {
  what: string;
  clients: number;
  rate: number;
  whole: Percentiles;
  /** As reported by the service; null if it reports nothing. */
  own: Percentiles | null;
  /** Everything except database and models, by the clocks of the client and the models; null with several clients. */
  around: Percentiles | null;
}

/**
 * Searches and answers with models that answer immediately: what they take besides models and database is the service's
 * own.
 */
export async function benchRag(options: RagOptions): Promise<Report> {
  const { rows, topK } = options;
  const source = createLongRows(dimensions);
  const target = await createTarget(options.databaseUrl);
  const models = await startAnswerModels(source.vectorOf, options.rerankWindow);
  const settings = { CHAT_MODEL: chatModel, ...options.settings };
  const service = await startService(target, { dimensions, settings, embeddingUrl: models.url });
  const storeId = await createFilledStore(service, target, { source, count: rows });
  const about = { models, source, storeId, topK };
  const seen = await lookAtAnswers(service.http, about, lookedAt);
  const asking = createAsking(service.http, about, lookedAt);
  for (let n = 0; n < untilWarm; n += 1) {
    for (const kind of askingKinds) await asking.ask(kind);
  }
  const { result: readings, peak } = await peakDuring(service.rss, async () => {
    const all: Reading[] = [];
    for (const clients of options.clients) {
      for (const kind of askingKinds) all.push(...(await read(asking, kind, clients, options)));
    }
    return all;
  });
  const { version, database } = service;
  await cleanUp();
  const chunk = await lengthsOf(source);
  return {
    kind: "rag",
    title: "Answers",
    version,
    database,
    notes: [
      `A store of ${rows.toLocaleString("en")} chunks of ${chunk.characters} characters, ${chunk.tokens} tokens each; ${topK} are searched for, four times as ` +
        `many reranked. No question is repeated. An answer used ${seen.chunks.toFixed(1)} chunks, joined into ${seen.passages.toFixed(1)} passages; its prompt had ` +
        `${Math.round(seen.prompt).toLocaleString("en")} characters. The largest memory was ${Math.round(peak)} MB.`,
      "Own time is what the service reports for itself in `Server-Timing`: everything except database and model, until the answer is complete, or for a " +
        "stream until the model has begun. Model time lasts until the model's answer is read, so it includes the service's HTTP client. _Around_ also includes " +
        "HTTP on both sides: the time on the client's clock, minus the database's, minus the models' by their own clock.",
    ],
    tables: [makeTable("", columns, readings.map(rowOf))],
    goals: readings
      .filter(({ what, clients }) => clients === 1 && what !== "search")
      .flatMap(({ what, own }) => (own === null ? [] : [atMost(`${what}: own time p95, ms`, 5, own.p95, "fraction")])),
  };
}

/** One kind of request with this many clients; for a stream, until its first event and until its end. */
async function read(asking: Asking, kind: AskingKind, clients: number, pace: Pace): Promise<Reading[]> {
  const asked: Asked[] = [];
  await measure(clients, pace.warmup, () => asking.ask(kind));
  const { rate } = await measure(clients, pace.seconds, async () => asked.push(await asking.ask(kind)));
  const of = (what: string, timeOf: (each: Asked) => number, own: Percentiles | null): Reading => {
    const around = clients > 1 ? null : percentiles(asked.map((each) => timeOf(each) - each.others));
    return { what, clients, rate, whole: percentiles(asked.map(timeOf)), own, around };
  };
  const own = percentiles(asked.map((each) => each.own));
  const whole = (each: Asked) => each.whole;
  const streams = asked.every((each) => each.first !== null);
  const readings = streams
    ? [of(`${kind.name}: first event`, (each) => each.first ?? NaN, own), of(`${kind.name}: end`, whole, null)]
    : [of(kind.name, whole, own)];
  for (const each of readings) {
    const ownTime = each.own === null ? "" : `, own time p95 ${each.own.p95.toFixed(2)} ms`;
    console.error(`${each.what}, ${clients} client(s): p95 ${each.whole.p95.toFixed(1)} ms${ownTime}`);
  }
  return readings;
}

/** Lengths of a chunk; tokens are those of OpenAI's models, as the service counts them. */
async function lengthsOf(source: Source): Promise<{ characters: string; tokens: string }> {
  const { count } = await tokenCounter();
  const contents = Array.from({ length: lookedAt }, (_, n) => source.row(n).content);
  const some = (values: number[]) => Math.round(mean(values)).toLocaleString("en");
  return { characters: some(contents.map((each) => each.length)), tokens: some(contents.map(count)) };
}

const columns = (
  "request|clients:whole|requests/s:fraction|p50 ms:fraction|p95 ms:fraction|p99 ms:fraction|own time p50 ms:fraction|p95 ms:fraction|" +
  "p99 ms:fraction|around p50 ms:fraction|p95 ms:fraction"
).split("|");

function rowOf({ what, clients, rate, whole, own, around }: Reading) {
  const ownTimes = [own?.p50 ?? null, own?.p95 ?? null, own?.p99 ?? null];
  return [what, clients, rate, whole.p50, whole.p95, whole.p99, ...ownTimes, around?.p50 ?? null, around?.p95 ?? null];
}
