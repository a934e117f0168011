import { setTimeout as sleep } from "node:timers/promises";
import { seededRandom } from "../data.js";
import { type Target, createTarget } from "../database.js";
import { startService } from "../service.js";
import { type Client, createClient } from "./client.js";
import { type Growth, type Sample, growthOf, leastSamples } from "./growth.js";
import type { Pace } from "./pace.js";
import { dimensions, makeRow, textOf, wireRow } from "./scene.js";
import { type Check, type Outcome, check } from "./verdict.js";

/**
 * Requests of an hour: so many searches a second, a batch a second, an upload every five, all that comes is deleted.
 * The embedded database, one process on one core, gets fewer.
 */
const hourOfSteps = 3600;
const searchesPerStep = { postgres: 10, pglite: 3 };
const rowsPerBatch = 20;
const stepsPerUpload = 5;
/** Steps after which rows and files are deleted again, so that the data stays as large as it is. */
const keptSteps = 60;
/** Steps under way at once. */
const clients = 4;
const sampleMs = 200;

/** What the floor may rise by, in MB: noise of the heap and of the allocator. */
const heapMayGrow = 12;
const residentMayGrow = 60;

interface Load {
  steps: number;
  failures: string[];
  heap: Sample[];
  resident: Sample[];
}

/** An hour's requests in a quarter of the time, on each database: memory must not grow once everything is warm. */
export async function watchMemory(pace: Pace): Promise<Outcome> {
  const kinds = ["postgres", "pglite"] as const;
  const loads = await Promise.all(
    kinds.map(async (kind, i) => {
      const target = await createTarget(kind === "pglite" ? "pglite" : pace.databaseUrl);
      return { kind, ...(await load(target, pace, seededRandom(pace.seed + 20 + i), searchesPerStep[kind])) };
    }),
  );
  const grown = loads.map(({ kind, steps, failures, heap, resident }) => {
    const short = steps < hourOfSteps ? [`only ${steps} of ${hourOfSteps} in the time`] : [];
    const measured = [
      { name: "the heap", samples: heap, most: heapMayGrow },
      { name: "resident memory", samples: resident, most: residentMayGrow },
    ]
      // A few seconds on a busy machine show nothing, and are no failure of a short run.
      .filter(({ samples }) => pace.whole || samples.length >= leastSamples)
      .map((each) => ({ ...each, growth: growthOf(each.samples) }));
    const checks: Check[] = [
      check(`${kind}: every request is answered as it should be`, failures),
      ...measured.map(({ name, growth, most }) => check(`${kind}: ${name} does not grow`, excess(growth, most))),
      ...(pace.whole ? [check(`${kind}: an hour's requests`, short)] : []),
    ];
    const shown =
      measured.map(({ name, growth }) => `; ${name} ${show(growth)}`).join("") || "; too short to judge memory";
    return { checks, figure: `${kind}: ${steps} of ${hourOfSteps} s of requests${shown}` };
  });
  return { figures: grown.map(({ figure }) => figure), checks: grown.flatMap(({ checks }) => checks) };
}

const show = ({ before, after, perHour }: Growth) =>
  `${before.toFixed(1)} → ${after.toFixed(1)} MB (${perHour >= 0 ? "+" : ""}${perHour.toFixed(1)} MB/h)`;

/** The growth, if it is more than `most`. */
export const excess = (growth: Growth, most: number) => (growth.after - growth.before > most ? [show(growth)] : []);

async function load(target: Target, pace: Pace, random: () => number, searches: number): Promise<Load> {
  const service = await startService(target, { dimensions, settings: { LOG_LEVEL: "error" } });
  const client = createClient(service.url, service.key);
  const storeId = await service.createStore();
  const found: Load = { steps: 0, failures: [], heap: [], resident: [] };
  const begun = performance.now();
  const ended = new AbortController();
  const sampling = (async () => {
    while (!ended.signal.aborted) {
      const at = (performance.now() - begun) / 1000;
      found.heap.push({ at, value: heapOf((await client.send("GET", "/metrics")).text) });
      await sleep(sampleMs);
    }
  })();
  // Not from /metrics, which waits for a busy database.
  const looking = setInterval(() => {
    found.resident.push({ at: (performance.now() - begun) / 1000, value: service.rss() });
  }, sampleMs);
  const step = stepper(client, { storeId, random, searches, failures: found.failures });
  const work = async () => {
    while (found.steps < hourOfSteps && performance.now() < pace.deadline) await step(found.steps++);
  };
  await Promise.all(Array.from({ length: clients }, work));
  clearInterval(looking);
  ended.abort();
  await sampling;
  await service.stop();
  return found;
}

/** MB of the process's heap in use, from Prometheus' text. */
const heapOf = (text: string) => Number(/^nodejs_heap_size_used_bytes (\S+)$/m.exec(text)?.[1]) / 2 ** 20;

/** One second of an hour. */
function stepper(
  client: Client,
  {
    storeId,
    random,
    searches,
    failures,
  }: Pick<Load, "failures"> & {
    storeId: string;
    random: () => number;
    searches: number;
  },
) {
  const store = `/v1/vector_stores/${storeId}`;
  const files = new Map<number, string>();
  const ask = async (method: string, path: string, body?: Parameters<Client["send"]>[2]) => {
    const { status, text } = await client.send(method, path, body);
    if (status !== 200 && status !== 202) failures.push(`${method} ${path}: ${status} ${text.slice(0, 200)}`);
    return text;
  };
  return async (step: number) => {
    const rows = Array.from({ length: rowsPerBatch }, (_, i) => wireRow(makeRow(`s${step}-${i}`, step, random)));
    await ask("POST", `${store}/embeddings/batch`, { json: { embeddings: rows, return: "count" } });
    for (let i = 0; i < searches; i += 1) {
      const json = {
        query: `s${step - Math.floor(random() * keptSteps)}-${i}`,
        search_mode: i % 3 === 0 ? "hybrid" : "vector",
      };
      await ask("POST", `${store}/search`, { json });
    }
    await ask("GET", `${store}/embeddings?limit=50`);
    await ask("GET", `${store}/files`);
    if (step % stepsPerUpload === 0) {
      const name = `memory-${step}-60.txt`;
      const form = new FormData();
      form.append("file", new Blob([textOf(name)]), name);
      files.set(step, (JSON.parse(await ask("POST", `${store}/upload`, { form })) as { id: string }).id);
    }
    const old = step - keptSteps;
    if (old < 0) return;
    const filters = { type: "eq", key: "batch", value: old };
    await ask("DELETE", `${store}/embeddings`, { json: { filters } });
    const file = files.get(old);
    if (file === undefined) return;
    files.delete(old);
    await ask("DELETE", `/v1/files/${file}`);
  };
}
