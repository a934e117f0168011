import { cleanUp } from "./cleanup.js";
import { type Encoding, type Row, denseRows, dimensions, wireBatch, wireRow } from "./data.js";
import { type RawDatabase, type Target, createTarget, openRaw } from "./database.js";
import { createBareInsert, createCopy, createLimitTable, hasPsql, limitTable } from "./limits.js";
import { type Measured, measure, peakDuring } from "./load.js";
import { type InsertResult, describeMachine } from "./results.js";
import { type Service, startService } from "./service.js";

export interface InsertOptions {
  databaseUrl: string;
  seconds: number;
  warmup: number;
  clients: number[];
  batches: number[];
  ndjsonRows: number;
  psql: string;
}

type Case = InsertResult["cases"][number];
const limitStore = "vs_limit";
const encodings = ["numbers", "base64"] as const;
const words: Record<Encoding, string> = { numbers: "JSON numbers", base64: "base64" };

/** Rows/s of every way in, and of the same database without the service, one after the other on an empty table each. */
export async function benchInsert(options: InsertOptions): Promise<InsertResult> {
  const rows = denseRows(1000);
  const target = await createTarget(options.databaseUrl);
  const service = await startService(target);
  const bench = new InsertBench(options, target, service, rows);
  // On PostgreSQL each limit is measured right before what it limits, so that both see the same weather.
  if (target.kind === "postgres") await bench.openLimits();
  for (const batch of options.batches) {
    for (const clients of options.clients) {
      if (target.kind === "postgres") await bench.bareInsert(batch, clients);
      for (const encoding of encodings) await bench.batches(batch, clients, encoding);
    }
  }
  for (const clients of options.clients) {
    for (const encoding of encodings) await bench.ndjson(clients, encoding);
  }
  if (target.kind === "postgres" && hasPsql(options.psql)) await bench.copy();
  if (target.kind === "pglite") {
    // The embedded database has one owner at a time and one connection.
    await service.stop();
    await bench.openLimits();
    for (const batch of options.batches) await bench.bareInsert(batch, 1);
  }
  await cleanUp();
  return {
    kind: "insert",
    measuredAt: new Date().toISOString(),
    version: service.version,
    database: service.database,
    machine: describeMachine(),
    seconds: options.seconds,
    dimensions,
    cases: withRatios(bench.cases),
  };
}

class InsertBench {
  readonly cases: Case[] = [];
  #raw: RawDatabase | null = null;

  constructor(
    private readonly options: InsertOptions,
    private readonly target: Target,
    private readonly service: Service,
    private readonly rows: readonly Row[],
  ) {}

  async openLimits(): Promise<void> {
    this.#raw = await openRaw(this.target.environment);
    await createLimitTable(this.#raw);
  }

  /** POST …/embeddings/batch. The body is made once: its rows have no ids, so each request adds new ones. */
  async batches(batch: number, clients: number, encoding: Encoding): Promise<void> {
    const body = wireBatch(this.repeated(batch), encoding);
    await this.throughService(`batch of ${batch}, ${words[encoding]}`, batch, clients, (path) =>
      this.service.http.post(path, body),
    );
  }

  /** The same route with one long body of lines. */
  async ndjson(clients: number, encoding: Encoding): Promise<void> {
    const { rows } = this;
    const repeat = Math.max(1, Math.round(this.options.ndjsonRows / rows.length));
    const body = Buffer.from(rows.map((row) => `${wireRow(row, encoding)}\n`).join(""));
    const total = rows.length * repeat;
    await this.throughService(`NDJSON of ${total}, ${words[encoding]}`, total, clients, async (path) => {
      const answer = await this.service.http.post(path, body, { contentType: "application/x-ndjson", repeat });
      // A failure after the first commit is the last line of an answer that began with 200.
      if (!answer.trimEnd().split("\n").at(-1)?.includes(`"count":${total}`)) throw new Error(answer.slice(-300));
    });
  }

  async bareInsert(batch: number, clients: number): Promise<void> {
    const raw = this.#raw;
    if (raw === null) return;
    await this.empty();
    const insert = await createBareInsert(raw, limitStore);
    const rows = this.repeated(batch);
    await measure(clients, this.options.warmup, () => insert(rows));
    const measured = await measure(clients, this.options.seconds, () => insert(rows));
    this.record(`limit: bare INSERT of ${batch}`, batch, measured, null);
  }

  async copy(): Promise<void> {
    const { target, options, rows } = this;
    const raw = this.#raw;
    if (raw === null || target.environment.DATABASE_URL === undefined) return;
    const many = Array.from({ length: 5 }, () => rows).flat();
    const copy = await createCopy(options.psql, target.environment.DATABASE_URL, target.directory, limitStore, many);
    const times: number[] = [];
    // The first is the warm-up.
    for (let total = 0, turn = 0; total < options.seconds * 1000 || turn < 2; turn += 1) {
      await this.empty();
      const time = copy();
      if (turn > 0) times.push(time);
      total += turn > 0 ? time : 0;
    }
    times.sort((a, b) => a - b);
    const rank = (share: number) => times[Math.ceil(times.length * share) - 1] ?? 0;
    const sum = times.reduce((all, each) => all + each, 0);
    const measured = { clients: 1, requests: times.length, rate: (1000 * times.length) / sum };
    const p = { p50: rank(0.5), p95: rank(0.95), p99: rank(0.99) };
    this.record(`limit: psql COPY of ${many.length}, binary`, many.length, { ...measured, ...p }, null);
  }

  private async throughService(
    what: string,
    rowsPerRequest: number,
    clients: number,
    post: (path: string) => Promise<unknown>,
  ): Promise<void> {
    const { service, options } = this;
    await this.empty();
    const storeId = await service.createStore();
    const path = `/v1/vector_stores/${storeId}/embeddings/batch`;
    const warm = await measure(clients, options.warmup, () => post(path));
    const { result, peak } = await peakDuring(service.rss, () => measure(clients, options.seconds, () => post(path)));
    await service.expectRows(storeId, (warm.requests + result.requests) * rowsPerRequest);
    this.record(what, rowsPerRequest, result, peak);
  }

  private record(what: string, rowsPerRequest: number, measured: Measured, peakRssMb: number | null): void {
    const rowsPerSecond = measured.rate * rowsPerRequest;
    const limit = peakRssMb === null;
    this.cases.push({
      ...measured,
      what,
      limit,
      rowsPerRequest,
      rowsPerSecond,
      ofInsert: null,
      ofCopy: null,
      peakRssMb,
    });
    console.error(`${what}, ${measured.clients} client(s): ${Math.round(rowsPerSecond)} rows/s`);
  }

  /** The same start for every case: no rows, and no checkpoint left to pay for from the case before. */
  private async empty(): Promise<void> {
    if (this.#raw === null) return;
    await this.#raw.query(`TRUNCATE vector_stores, ${limitTable} CASCADE`);
    await this.#raw.query("INSERT INTO vector_stores (id, name) VALUES ($1, 'limit')", [limitStore]);
    // Only a superuser may; without it the figures are less steady.
    await this.#raw.query("CHECKPOINT").catch(() => undefined);
  }

  private repeated(count: number): Row[] {
    return Array.from({ length: count }, (_, i) => this.rows[i % this.rows.length]).filter((row) => row !== undefined);
  }
}

/** Beside each way in: the bare INSERT with as many rows (NDJSON: the most) and clients, and COPY, which has one client. */
function withRatios(cases: readonly Case[]): Case[] {
  const inserts = cases.filter((each) => each.limit && each.what.includes("INSERT"));
  const copy = cases.find((each) => each.limit && each.what.includes("COPY"));
  const most = Math.max(...inserts.map((each) => each.rowsPerRequest));
  return cases.map((each) => {
    if (each.limit) return each;
    const rows = inserts.some((insert) => insert.rowsPerRequest === each.rowsPerRequest) ? each.rowsPerRequest : most;
    const alike = inserts.filter((insert) => insert.rowsPerRequest === rows);
    const insert = alike.find((one) => one.clients === each.clients) ?? alike[0];
    const share = (limit: Case | undefined) => (limit === undefined ? null : each.rowsPerSecond / limit.rowsPerSecond);
    return { ...each, ofInsert: share(insert), ofCopy: share(copy) };
  });
}
