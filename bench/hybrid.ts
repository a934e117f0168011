import { cleanUp } from "./cleanup.js";
import { createSource, seededRandom } from "./data.js";
import { createTarget, openRaw } from "./database.js";
import { createFilledStore } from "./fill.js";
import { type Measured, measure, peakDuring } from "./load.js";
import { type Report, atLeast, atMost, makeTable } from "./results.js";
import { type Pace, measureSearches, search, searchPath } from "./searching.js";
import { startService } from "./service.js";

export interface HybridOptions extends Pace {
  databaseUrl: string;
  settings: Record<string, string>;
  rows: number;
}

const dimensions = 1536;
const queryCount = 50;
const wordsPerQuery = 3;
const modes = ["keyword", "hybrid"] as const;

/** Words by the share of rows that contain them. */
const bands = {
  rare: { from: 0, to: 0.001 },
  medium: { from: 0.005, to: 0.03 },
  common: { from: 0.2, to: 1 },
} as const;
const queryKinds = ["rare", "medium", "common", "mixed"] as const;

/** What keyword search is for: each is in one row only, with near twins in others. */
const codes = Array.from({ length: 25 }, (_, i) => [
  `INV-2024-${10_000 + i * 3}`,
  `0x80${(7_000_000 + i * 11).toString(16)}`,
  `v${2 + (i % 5)}.${i}.${(i * 7) % 10}-rc${i % 3}`,
  `Okonkwo-Brandt${i} Adelheid`,
]).flat();

/** Keyword and hybrid searches for words that few, some or most rows contain. */
export async function benchHybrid(options: HybridOptions): Promise<Report> {
  const { rows } = options;
  const source = createSource("text", dimensions);
  const target = await createTarget(options.databaseUrl);
  const service = await startService(target, { dimensions, settings: options.settings });
  const counts = new Map<string, number>();
  const stride = Math.floor(rows / codes.length);
  const storeId = await createFilledStore(service, target, {
    source,
    count: rows,
    body: { search_mode: "hybrid" },
    row(n) {
      const row = source.row(n);
      const code = n % stride === 0 ? codes[n / stride] : undefined;
      return code === undefined ? row : { ...row, content: insertInto(row.content, code) };
    },
    onRow(_, { content }) {
      for (const word of new Set(content.split(" "))) counts.set(word, (counts.get(word) ?? 0) + 1);
    },
  });
  const path = searchPath(storeId);
  const optionsOf = (mode: string) => ({ ranking_options: { search_mode: mode } });
  const queries = queriesOf(counts, rows);
  const cases: { mode: string; words: keyof Queries; measured: Measured }[] = [];
  const { peak } = await peakDuring(service.rss, async () => {
    for (const mode of modes) {
      for (const words of queryKinds) {
        const searches = queries[words].map((query) => ({ path, body: { query, ...optionsOf(mode) } }));
        const measured = await measureSearches(service.http, 1, options, searches);
        cases.push({ mode, words, measured });
        console.error(`${mode}, ${words} words: p50 ${measured.p50.toFixed(1)} ms, p95 ${measured.p95.toFixed(1)} ms`);
      }
    }
  });
  const firsts: Record<(typeof modes)[number], number> = { keyword: 0, hybrid: 0 };
  for (const mode of modes) {
    for (const [i, code] of codes.entries()) {
      const [first] = await search(service.http, path, code, optionsOf(mode));
      if (first === `row-${i * stride}`) firsts[mode] += 1;
    }
  }
  const plain = target.kind === "postgres" ? await measurePlain(target.environment, storeId, queries, options) : null;
  const { version, database } = service;
  await cleanUp();
  const columns =
    "mode|words|searches/s:fraction|p50 ms:fraction|p95 ms:fraction|p99 ms:fraction|p95 of plain SQL:fraction";
  return {
    kind: "hybrid",
    title: "Keyword and hybrid search",
    version,
    database,
    notes: [
      `${rows.toLocaleString("en")} rows, ${wordsPerQuery} words per query: rare in at most ${bands.rare.to * 100} % of the rows, medium in ` +
        `${bands.medium.from * 100}–${bands.medium.to * 100} %, common in ${bands.common.from * 100} % and more, mixed one of each. One client; ` +
        `the largest memory was ${Math.round(peak)} MB. Codes and names that only one row contains came first in ` +
        `${firsts.keyword} of ${codes.length} keyword searches and ${firsts.hybrid} hybrid searches.`,
    ],
    tables: [
      makeTable(
        "",
        columns.split("|"),
        cases.map(({ mode, words, measured: { rate, p50, p95, p99 } }) => {
          return [mode, words, rate, p50, p95, p99, plain?.[words]?.p95 ?? null];
        }),
      ),
    ],
    goals: [
      ...modes.map((mode) => {
        const p95s = cases.filter((each) => each.mode === mode).map((each) => each.measured.p95);
        return atMost(
          `${mode} search, ${rows.toLocaleString("en")} rows, rare … common words: highest p95, ms`,
          60,
          Math.max(...p95s),
          "fraction",
        );
      }),
      atLeast("keyword search: exact codes and names that come first", 1, firsts.keyword / codes.length, "percent"),
    ],
  };
}

function insertInto(content: string, code: string): string {
  const middle = content.indexOf(" ", content.length / 2);
  return `${content.slice(0, middle)} ${code}${content.slice(middle)}`;
}

type Queries = Record<(typeof queryKinds)[number], string[]>;

function queriesOf(counts: ReadonlyMap<string, number>, rows: number): Queries {
  const random = seededRandom(3);
  const wordsIn = ({ from, to }: { from: number; to: number }) => {
    const words = [...counts].filter(([, count]) => count / rows >= from && count / rows <= to).map(([word]) => word);
    // Sorted, because the order of insertion differs between runs.
    return words.filter((word) => /^[a-z]+$/.test(word)).sort();
  };
  const lists = { rare: wordsIn(bands.rare), medium: wordsIn(bands.medium), common: wordsIn(bands.common) };
  const pick = (list: readonly string[]) => list[Math.floor(random() * list.length)] ?? "";
  const make = (from: readonly (readonly string[])[]) =>
    Array.from({ length: queryCount }, () => from.map(pick).join(" ").trim()).map((query, i) => query || `none${i}`);
  const all = (list: readonly string[]) => make(new Array<readonly string[]>(wordsPerQuery).fill(list));
  return {
    rare: all(lists.rare),
    medium: all(lists.medium),
    common: all(lists.common),
    mixed: make([lists.rare, lists.medium, lists.common]),
  };
}

/**
 * What one would write by hand: all rows with any of the words, ranked by ts_rank, with a GIN index. Null if no lexemes
 * are stored.
 */
async function measurePlain(
  environment: { DATABASE_URL?: string; DATA_DIR: string },
  storeId: string,
  queries: Queries,
  pace: Pace,
): Promise<Partial<Record<keyof Queries, Measured>> | null> {
  const raw = await openRaw(environment);
  const [kept] = await raw.query<{ name: string | null }>("SELECT to_regclass('vector_store_keywords')::text AS name");
  const plain: Partial<Record<keyof Queries, Measured>> = {};
  if (kept?.name != null) {
    const text = `
      SELECT e.id, e.content, e.metadata FROM vector_store_keywords AS k JOIN embeddings AS e USING (id)
      WHERE k.vector_store_id = $1 AND k.words @@ to_tsquery('simple', $2)
      ORDER BY ts_rank(k.words, to_tsquery('simple', $2)) DESC LIMIT 10`;
    for (const words of queryKinds) {
      const list = queries[words].map((query) => query.split(" ").join(" | "));
      const work = (_: number, turn: number) => raw.query(text, [storeId, list[turn % list.length]]);
      await measure(1, pace.warmup, work);
      plain[words] = await measure(1, pace.seconds, work);
    }
  }
  await raw.close();
  return kept?.name == null ? null : plain;
}
