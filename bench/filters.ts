import { BruteForce } from "./bruteForce.js";
import { cleanUp } from "./cleanup.js";
import { createSource } from "./data.js";
import { createTarget } from "./database.js";
import { startEmbeddingServer } from "./embeddingServer.js";
import { createFilledStore } from "./fill.js";
import { type Measured, peakDuring } from "./load.js";
import { type Report, atLeast, atMost, makeTable } from "./results.js";
import { type Pace, checkRecall, measureSearches, measureStatements, searchPath } from "./searching.js";
import { startService } from "./service.js";

export interface FiltersOptions extends Pace {
  databaseUrl: string;
  settings: Record<string, string>;
  rows: number;
}

const dimensions = 1536;
const queryCount = 50;
/** One row in this many matches. */
const selectivities = [2, 10, 100, 1000, 10_000] as const;

const whats = ["equality", "range"] as const;

interface Condition {
  what: (typeof whats)[number];
  oneOf: number;
  /** A query's filter, with a different value for each query, and the rows it matches. */
  filterOf: (query: number) => { filters: object; matches: (n: number) => boolean };
}

interface Case {
  what: Condition["what"];
  oneOf: number;
  recall: number;
  found: number;
  due: number;
  measured: Measured;
  raw: Measured;
}

/** Searches with filters that match one row in 2 … 10,000, spread over the whole space. */
export async function benchFilters(options: FiltersOptions): Promise<Report> {
  const { rows } = options;
  const source = createSource("dense", dimensions);
  const target = await createTarget(options.databaseUrl);
  if (target.kind === "pglite") throw new Error("filters are measured on a PostgreSQL server");
  const embeddingUrl = await startEmbeddingServer(source.vectorOf);
  const service = await startService(target, { dimensions, settings: options.settings, embeddingUrl });
  const queries = Array.from({ length: queryCount }, (_, n) => source.query(n));
  const truth = new BruteForce(
    queries.map((each) => each.vector),
    rows,
  );
  const storeId = await createFilledStore(service, target, {
    source,
    count: rows,
    row: (n) => ({ ...source.row(n), metadata: metadataOf(n, rows) }),
    onRow: (n, row) => {
      truth.add(n, row.vector);
    },
  });
  const path = searchPath(storeId);
  const cases: Case[] = [];
  const { peak } = await peakDuring(service.rss, async () => {
    for (const { what, oneOf, filterOf } of conditionsOf(rows)) {
      const searches = queries.map(({ text, vector }, q) => {
        const { filters, matches } = filterOf(q);
        const count = Array.from({ length: rows }, (_, n) => n).filter(matches).length;
        return { path, query: text, body: { filters }, matches, rows: count, vector, filters };
      });
      const checked = await checkRecall(service.http, truth, searches);
      const bodies = searches.map(({ query, filters }) => ({ path, body: { query, filters } }));
      const measured = await measureSearches(service.http, 1, options, bodies);
      const raw = await measureStatements(target, storeId, searches, options);
      cases.push({ what, oneOf, ...checked, measured, raw });
      console.error(
        `${what}, 1 of ${oneOf}: recall ${checked.recall.toFixed(4)}, ${checked.found} of ${checked.due} results, p95 ${measured.p95.toFixed(1)} ms`,
      );
    }
  });
  const { version, database } = service;
  await cleanUp();
  const columns =
    "filter|matching|recall@10:recall|rows found:whole|of:whole|p50 ms:fraction|p95 ms:fraction|p99 ms:fraction|p95 of the statements alone:fraction";
  return {
    kind: "filters",
    title: "Filters",
    version,
    database,
    notes: [
      `${rows.toLocaleString("en")} rows of ${dimensions} dimensions, one client; the largest memory was ${Math.round(peak)} MB.`,
    ],
    tables: [
      makeTable(
        "",
        columns.split("|"),
        cases.map(({ what, oneOf, recall, found, due, measured: { p50, p95, p99 }, raw }) => {
          return [what, percentOf(oneOf), recall, found, due, p50, p95, p99, raw.p95];
        }),
      ),
    ],
    goals: whats.flatMap((what) => {
      const own = cases.filter((each) => each.what === what);
      const worst = (figure: (each: Case) => number) => Math.max(...own.map(figure));
      const name = `filters of 50 % … 0.01 % of ${rows.toLocaleString("en")}, ${what}`;
      return [
        atLeast(`${name}: lowest recall@10`, 0.99, -worst((each) => -each.recall), "recall"),
        atLeast(`${name}: share of the results due`, 1, -worst((each) => -each.found / each.due), "percent"),
        atMost(
          `${name}: highest p95, ms`,
          what === "equality" ? 40 : 120,
          worst((each) => each.measured.p95),
          "fraction",
        ),
      ];
    }),
  };
}

const percentOf = (oneOf: number) => `${100 / oneOf} %`;

/** A number that is unrelated to the row's position in the space. */
const rankOf = (n: number, rows: number) => (n * 7919 + 17) % rows;

const metadataOf = (n: number, rows: number) => ({
  ...Object.fromEntries(selectivities.map((oneOf) => [`of_${oneOf}`, `value-${n % oneOf}`])),
  rank: rankOf(n, rows),
});

function conditionsOf(rows: number): Condition[] {
  const equality = (oneOf: number): Condition => ({
    what: "equality",
    oneOf,
    filterOf(query) {
      const value = (query * 7) % oneOf;
      return {
        filters: { type: "eq", key: `of_${oneOf}`, value: `value-${value}` },
        matches: (n) => n % oneOf === value,
      };
    },
  });
  const range = (oneOf: number): Condition => ({
    what: "range",
    oneOf,
    filterOf(query) {
      const width = Math.max(1, Math.round(rows / oneOf));
      const low = Math.floor(((query + 0.5) / queryCount) * (rows - width));
      const filters = [
        { type: "gte", key: "rank", value: low },
        { type: "lt", key: "rank", value: low + width },
      ];
      const matches = (n: number) => rankOf(n, rows) >= low && rankOf(n, rows) < low + width;
      return { filters: { type: "and", filters }, matches };
    },
  });
  return [...selectivities.map(equality), ...selectivities.map(range)];
}
