import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { cleanUp } from "./cleanup.js";
import { type Row, createSource, wireRow } from "./data.js";
import { type Target, createTarget, openRaw } from "./database.js";
import { percentiles } from "./load.js";
import { buildPrevious, commitBeforeSchema } from "./previous.js";
import { type Goal, type Report, atLeast, atMost, makeTable } from "./results.js";
import type { Pace } from "./searching.js";
import { type Service, startService } from "./service.js";

export interface RolloutOptions extends Pace {
  databaseUrl: string;
  settings: Record<string, string>;
  /** Requests per second, sent whether or not earlier ones are answered. */
  rate: number;
  replicas: number;
  from?: string;
}

const dimensions = 256;
const rowsBefore = 500;
const rowsPerInsert = 2;
const key = "sk-bench-rollout";
/** Kubernetes probes every few seconds; the delay after SIGTERM covers what it learns late. */
const probeMs = 500;
/** Replaced replicas have served for a while: code that V8 has not compiled yet takes ten times as long per request. */
const leastWarmup = 10;
/** The chart's preStop hook: a pod gets SIGTERM this long after it was removed from the Service. */
const preStopMs = 3000;

/** A replica, and whether it gets requests. */
interface Endpoint {
  service: Service;
  agent: Agent;
  inUse: boolean;
}

interface Outcome {
  requests: number;
  failures: string[];
  /** Milliseconds of answered requests. */
  times: number[];
  /** Rows of acknowledged insertions. */
  inserted: number;
}

/**
 * A steady load on several replicas while each one is replaced: by SIGTERM alone, as any supervisor stops a process,
 * with clients that follow /readyz; and from an earlier version with an earlier schema, as Kubernetes rolls out. No
 * request may fail, and no acknowledged row may be lost or doubled.
 */
export async function benchRollout(options: RolloutOptions): Promise<Report> {
  if (options.databaseUrl === "pglite") throw new Error("the embedded database has one process");
  const commit = options.from ?? commitBeforeSchema();
  const scenes: { name: string; program?: string; preStop: boolean }[] = [
    { name: "replaced by SIGTERM alone", preStop: false },
    { name: `upgraded from ${commit.slice(0, 7)}`, program: buildPrevious(commit), preStop: true },
  ];
  const rows: (string | number | null)[][] = [];
  const goals: Goal[] = [];
  let about = { version: "", database: "" };
  for (const scene of scenes) {
    const target = await createTarget(options.databaseUrl);
    const { outcome, lost, migrations, ...found } = await roll(target, options, scene);
    about = found;
    const { p50, p95, p99 } = percentiles(outcome.times);
    const longest = outcome.times.reduce((a, b) => Math.max(a, b), 0);
    rows.push([scene.name, outcome.requests, outcome.failures.length, p50, p95, p99, longest, migrations]);
    for (const failure of outcome.failures.slice(0, 5)) console.error(failure);
    goals.push(
      atMost(`${scene.name}: failed requests`, 0, outcome.failures.length, "whole"),
      atMost(`${scene.name}: rows lost or doubled`, 0, Math.abs(lost), "whole"),
      // Without the intended load, success would show nothing.
      atLeast(
        `${scene.name}: share of the intended requests/s`,
        0.9,
        outcome.requests / found.seconds / options.rate,
        "percent",
      ),
    );
  }
  await cleanUp();
  const columns =
    "what|requests:whole|failed:whole|p50 ms:fraction|p95 ms:fraction|p99 ms:fraction|longest ms:whole|migrations:whole";
  const notes = [
    `${options.rate} requests/s on ${options.replicas} replicas: searches (7 of 10), insertions of ${rowsPerInsert} rows, reading a store and its rows.`,
  ];
  return {
    kind: "rollout",
    title: "Replacing replicas",
    ...about,
    notes,
    tables: [makeTable("", columns.split("|"), rows)],
    goals,
  };
}

async function roll(target: Target, options: RolloutOptions, scene: { program?: string; preStop: boolean }) {
  const settings = { ...options.settings, SERVER_API_KEY: key, SHUTDOWN_DELAY_SECONDS: "3", INDEX_MIN_ROWS: "1000000" };
  const start = async (program?: string): Promise<Endpoint> => ({
    service: await startService(target, { dimensions, settings, ...(program !== undefined && { program }) }),
    agent: new Agent({ keepAlive: true }),
    inUse: true,
  });
  const endpoints: Endpoint[] = [];
  for (let i = 0; i < options.replicas; i += 1) endpoints.push(await start(scene.program));
  const [first] = endpoints;
  if (first === undefined) throw new Error("there are no replicas");
  const versions = async () => {
    const raw = await openRaw(target.environment);
    const [row] = await raw.query<{ count: number }>("SELECT count(*)::int AS count FROM vector_store_migrations");
    await raw.close();
    return row?.count ?? 0;
  };
  const before = await versions();
  const source = createSource("text", dimensions);
  const storeId = await first.service.createStore();
  const send = sender(storeId, source);
  for (let at = 0; at < rowsBefore; at += 500) {
    const rows = Array.from({ length: 500 }, (_, i) => source.row(at + i));
    await first.service.http.post(`/v1/vector_stores/${storeId}/embeddings/batch`, bodyOf(rows, "before", at));
  }
  const outcome: Outcome = { requests: 0, failures: [], times: [], inserted: 0 };
  const load = createLoad(options.rate, endpoints, send, outcome);
  const begun = performance.now();
  await sleep(Math.max(options.warmup, leastWarmup) * 1000);
  try {
    for (const old of [...endpoints]) {
      endpoints.push(await start());
      if (scene.preStop) {
        old.inUse = false;
        await sleep(preStopMs);
      }
      await old.service.stop();
      endpoints.splice(endpoints.indexOf(old), 1);
      old.agent.destroy();
      await sleep(500);
    }
    await sleep(options.seconds * 1000);
  } finally {
    await load.end();
  }
  const seconds = (performance.now() - begun) / 1000;
  const [last] = endpoints;
  if (last === undefined) throw new Error("no replica is left");
  const lost = rowsBefore + outcome.inserted - (await last.service.countRows(storeId));
  const { version, database } = last.service;
  const migrations = (await versions()) - before;
  await Promise.all(endpoints.map((each) => each.service.stop()));
  return { outcome, lost, migrations, seconds, version, database };
}

function bodyOf(rows: readonly Row[], prefix: string, at: number): Buffer {
  const texts = rows.map((row, i) => wireRow({ ...row, id: `${prefix}-${at + i}` }, "base64"));
  return Buffer.from(`{"embeddings":[${texts.join(",")}],"return":"count"}`);
}

/** The n-th request. */
function sender(storeId: string, source: ReturnType<typeof createSource>) {
  const path = `/v1/vector_stores/${storeId}`;
  return (n: number): { method: string; path: string; body?: Buffer; rows: number } => {
    if (n % 10 === 7) {
      const rows = Array.from({ length: rowsPerInsert }, (_, i) => source.row(rowsBefore + n * rowsPerInsert + i));
      return {
        method: "POST",
        path: `${path}/embeddings/batch`,
        body: bodyOf(rows, "during", n * rowsPerInsert),
        rows: rowsPerInsert,
      };
    }
    if (n % 10 === 8) return { method: "GET", path, rows: 0 };
    if (n % 10 === 9) return { method: "GET", path: `${path}/embeddings?limit=20`, rows: 0 };
    const body = Buffer.from(JSON.stringify({ query: source.query(n % 100).text, max_num_results: 10 }));
    return { method: "POST", path: `${path}/search`, body, rows: 0 };
  };
}

/** Sends at a steady rate to the endpoints that are in use and ready, in turn; never retries. */
function createLoad(rate: number, endpoints: readonly Endpoint[], send: ReturnType<typeof sender>, outcome: Outcome) {
  const ready = new Map<Endpoint, boolean>();
  const probe = setInterval(() => {
    for (const each of endpoints) {
      fetch(`${each.service.url}/readyz`).then(
        ({ ok }) => ready.set(each, ok),
        () => ready.set(each, false),
      );
    }
  }, probeMs);
  const underWay = new Set<Promise<void>>();
  const begun = performance.now();
  const one = async (n: number) => {
    const targets = endpoints.filter((each) => each.inUse && ready.get(each) !== false);
    const target = targets[n % targets.length];
    const { rows, ...what } = send(n);
    outcome.requests += 1;
    const started = performance.now();
    try {
      if (target === undefined) throw new Error("no replica is ready");
      await ask(target, what);
      outcome.times.push(performance.now() - started);
      outcome.inserted += rows;
    } catch (error) {
      outcome.failures.push(`request ${n}, ${what.method} ${what.path}: ${String(error)}`);
    }
  };
  const timer = setInterval(() => {
    for (const due = ((performance.now() - begun) * rate) / 1000; outcome.requests < due;) {
      const sent = one(outcome.requests);
      underWay.add(sent);
      void sent.finally(() => underWay.delete(sent));
    }
  }, 5);
  return {
    end: async () => {
      clearInterval(timer);
      clearInterval(probe);
      await Promise.all(underWay);
    },
  };
}

function ask({ service, agent }: Endpoint, what: { method: string; path: string; body?: Buffer }): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${key}`,
      ...(what.body && { "content-type": "application/json", "content-length": what.body.length }),
    };
    const outgoing = request(service.url + what.path, { method: what.method, agent, headers }, (incoming) => {
      incoming.resume();
      incoming.once("error", reject);
      incoming.once("end", () => {
        if (incoming.statusCode === 200) resolve();
        else reject(new Error(`status ${incoming.statusCode ?? 0}`));
      });
    });
    outgoing.once("error", reject);
    outgoing.end(what.body);
  });
}
