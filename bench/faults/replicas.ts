import { setTimeout as sleep } from "node:timers/promises";
import { seededRandom } from "../data.js";
import { type RawDatabase, createTarget, openRaw } from "../database.js";
import { type Service, startService } from "../service.js";
import { type Client, createClient, hangMs } from "./client.js";
import { endLeases, killSettings } from "./kills.js";
import { type Pace, left } from "./pace.js";
import { dimensions } from "./scene.js";
import { type Stores, createStores } from "./stores.js";
import { type Outcome, check } from "./verdict.js";

const key = "sk-faults-replicas";
const writers = 6;
/** The lease of a dead process ends within a minute; then the other process continues its files. */
const leaseMs = 70_000;
/** Kept for the last comparison. */
const reserveMs = 15_000;

interface Replica {
  service: Service;
  client: Client;
}

/**
 * Two servers on one database under load, of which one at a time is killed with SIGKILL and started again. The other
 * one answers every request meanwhile, and finishes the files that the dead one was reading.
 */
export async function killReplicas(pace: Pace): Promise<Outcome> {
  const random = seededRandom(pace.seed + 10);
  const target = await createTarget(pace.databaseUrl);
  const start = async (): Promise<Replica> => {
    const service = await startService(target, { dimensions, settings: { ...killSettings, SERVER_API_KEY: key } });
    // An upload whose replica is killed waits for the dead one's lease to end.
    return { service, client: createClient(service.url, key, hangMs + leaseMs) };
  };
  let replicas: Replica[] = [await start(), await start()];
  const raw = await openRaw(target.environment);
  const stores = await createStores(anyOf(replicas, 0), "replicas", random);
  const taken = followLeases(raw);
  let kills = 0;
  do {
    let [stopped, turn] = [false, 0];
    const writing = stores.write(
      () => anyOf(replicas, turn++),
      writers,
      () => stopped,
    );
    await sleep(300 + random() * 2500);
    const victim = Math.floor(random() * 2);
    const [dead] = replicas.filter((_, i) => i === victim);
    replicas = replicas.filter((_, i) => i !== victim);
    await dead?.service.kill();
    await taken.note();
    kills += 1;
    // The other one works alone for a while.
    await sleep(500 + random() * 1500);
    replicas.push(await start());
    await sleep(200 + random() * 1000);
    stopped = true;
    await writing;
    await taken.look();
    await stores.compare(anyOf(replicas, 0));
  } while (left(pace) > reserveMs + (pace.whole ? leaseMs : 0));
  if (!pace.whole) {
    // There is no time to wait for leases: without any process, they may be ended.
    for (const { service } of replicas) await service.kill();
    await raw.query(endLeases);
    replicas = [await start()];
  }
  await untilIngested(raw);
  await taken.look();
  await stores.finish(anyOf(replicas, 0));
  await raw.close();
  for (const { service } of replicas) await service.stop();
  const outcome = outcomeOf(stores, `${kills} kills of one of two servers, seed ${pace.seed}`, taken.again());
  // In a short run, chance may not leave a file for the other server.
  if (!pace.whole) return outcome;
  const none = taken.again() > 0 ? [] : ["no file was taken over"];
  return { ...outcome, checks: [...outcome.checks, check("files of a dead server are taken over", none)] };
}

function outcomeOf(stores: Stores, begin: string, takenOver: number): Outcome {
  const { whole, part, none } = stores.fates();
  const { tally } = stores;
  return {
    figures: [
      `${begin}; ${tally.acknowledged} requests acknowledged, ${tally.interrupted} interrupted (found ${whole} whole, ` +
        `${part} by whole portions, ${none} not at all), ${tally.declined} declined; ${stores.compared()} keys compared; ` +
        `${takenOver} files taken up again`,
    ],
    checks: [
      check("nothing acknowledged is lost, halved or doubled", stores.violations),
      check("every request is answered as it should be", tally.failures),
    ],
  };
}

function anyOf(replicas: readonly Replica[], turn: number): Client {
  const client = replicas[turn % replicas.length]?.client;
  if (client === undefined) throw new Error("there is no server");
  return client;
}

/** Follows the files that are being read when a server is killed: those that are taken again were the dead one's. */
function followLeases(raw: RawDatabase) {
  const held = new Map<string, string>();
  const again = new Set<string>();
  const read = (condition: string) =>
    raw.query<{ id: string; at: string }>(
      `SELECT vector_store_id || file_id AS id, taken_at::text AS at FROM vector_store_files WHERE ${condition}`,
    );
  return {
    /** To be called after a kill. */
    note: async () => {
      for (const { id, at } of await read("status = 'in_progress' AND lease IS NOT NULL")) held.set(id, at);
    },
    /** To be called before stores are removed. */
    look: async () => {
      for (const { id, at } of await read("taken_at IS NOT NULL")) {
        const before = held.get(id);
        if (before !== undefined && before !== at) again.add(id);
      }
    },
    again: () => again.size,
  };
}

/** Waits until no file is in progress, or for two leases. */
async function untilIngested(raw: RawDatabase): Promise<void> {
  const deadline = performance.now() + 2 * leaseMs;
  const question = "SELECT count(*)::int AS count FROM vector_store_files WHERE status = 'in_progress'";
  while (((await raw.query<{ count: number }>(question))[0]?.count ?? 0) > 0 && performance.now() < deadline) {
    await sleep(500);
  }
}
