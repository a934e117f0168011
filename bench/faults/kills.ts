import { setTimeout as sleep } from "node:timers/promises";
import { seededRandom } from "../data.js";
import { type Target, createTarget, openRaw } from "../database.js";
import { percentiles } from "../load.js";
import { type Service, startService } from "../service.js";
import { createClient } from "./client.js";
import { type Pace, left } from "./pace.js";
import { dimensions } from "./scene.js";
import { type Stores, createStores } from "./stores.js";
import { type Check, type Outcome, check } from "./verdict.js";

/** Of both databases together. */
const wholeKills = 1000;
/**
 * Campaigns that run at the same time, and the most kills of each: while a server starts, which takes one core two
 * seconds, the others use the other core. A start of the embedded database costs twice as much.
 */
const lanes = [
  { kind: "postgres", most: Infinity },
  { kind: "postgres", most: Infinity },
  { kind: "pglite", most: 150 },
] as const;
/** What is left of a lane's data is compared this often, in kills: comparing costs as much as a start. */
const compareEvery = 3;
const writers = 5;
/** Kept for ingestion to end and for the last comparison. */
const reserveMs = 15_000;

/** Small portions, so that kills come between them. */
export const killSettings = { EMBEDDING__BATCH_SIZE: "16", LOG_LEVEL: "error", INDEX_MIN_ROWS: "1000000" };

/**
 * Brings forward what would be so within a minute: the leases of the dead process end, as they do on the embedded
 * database, so that every start continues ingestion. `replicas` waits for leases to end by themselves.
 */
export const endLeases =
  "UPDATE vector_store_files SET lease_until = now() WHERE status = 'in_progress' AND lease_until > now()";

interface Campaign {
  kills: number;
  /** Kills while requests were being answered. */
  underWrites: number;
  startMs: number[];
  stores: Stores;
}

/**
 * Kills the server with SIGKILL at random moments while clients write, starts it again, and compares everything that
 * was acknowledged with what is there; on PostgreSQL and on the embedded database at the same time. A loss that one
 * comparison would find, a later one finds, too.
 */
export async function killServers(pace: Pace): Promise<Outcome> {
  let kills = 0;
  const count = () => (kills += 1);
  const isEnough = () => kills >= wholeKills;
  const campaigns = await Promise.all(
    lanes.map(async ({ kind, most }, i) => {
      const target = await createTarget(kind === "pglite" ? "pglite" : pace.databaseUrl);
      const ends = (own: number) => isEnough() || own >= most;
      return { kind: `${kind} ${i + 1}`, ...(await campaign(target, pace, seededRandom(pace.seed + i), count, ends)) };
    }),
  );
  const figures = campaigns.map(({ kind, ...each }) => `${kind}: ${describe(each)}`);
  const checks: Check[] = campaigns.flatMap(({ kind, stores, underWrites }) => [
    check(`${kind}: nothing acknowledged is lost, halved or doubled`, stores.violations),
    check(`${kind}: every request is answered as it should be`, stores.tally.failures),
    check(`${kind}: kills came while requests were under way`, underWrites > 0 ? [] : ["none did"]),
  ]);
  if (pace.whole) checks.push(check(`${wholeKills} kills`, isEnough() ? [] : [`only ${kills} in the time`]));
  return { figures: [`${kills} kills, seed ${pace.seed}`, ...figures], checks };
}

function describe({ kills, underWrites, startMs, stores }: Campaign): string {
  const { tally } = stores;
  const { whole, part, none } = stores.fates();
  const starts = percentiles(startMs);
  return (
    `${kills} kills (${underWrites} with requests under way); start to ready ${Math.round(starts.p50)} ms (p95 ${Math.round(starts.p95)}); ` +
    `${tally.acknowledged} requests acknowledged, ${tally.interrupted} interrupted (found ${whole} whole, ${part} by whole portions, ${none} not at all), ` +
    `${tally.declined} declined; ${stores.compared()} keys compared`
  );
}

async function campaign(
  target: Target,
  pace: Pace,
  random: () => number,
  count: () => number,
  ends: (kills: number) => boolean,
): Promise<Campaign> {
  const startMs: number[] = [];
  const start = async () => {
    const begun = performance.now();
    const service = await startService(target, { dimensions, settings: killSettings });
    startMs.push(performance.now() - begun);
    return { service, client: createClient(service.url, service.key) };
  };
  let running = await start();
  const leases = target.kind === "postgres" ? await openRaw(target.environment) : null;
  // The first start of an embedded database also creates it.
  startMs.length = 0;
  const stores = await createStores(running.client, target.kind, random);
  let [kills, underWrites] = [0, 0];
  do {
    const before = stores.tally.interrupted;
    await writeAndKill(running.service, stores, running.client, random);
    count();
    kills += 1;
    if (stores.tally.interrupted > before) underWrites += 1;
    await leases?.query(endLeases);
    running = await start();
    if (kills % compareEvery === 0) await stores.compare(running.client);
  } while (!ends(kills) && left(pace) > reserveMs);
  await stores.finish(running.client);
  await leases?.close();
  await running.service.stop();
  return { kills, underWrites, startMs, stores };
}

async function writeAndKill(
  service: Service,
  stores: Stores,
  client: ReturnType<typeof createClient>,
  random: () => number,
): Promise<void> {
  let killed = false;
  const writing = stores.write(
    () => client,
    writers,
    () => killed,
  );
  // Counted in answers, because a second means something else on every machine; sometimes after steady writing.
  const enough = stores.tally.acknowledged + Math.floor(random() * (random() < 0.1 ? 200 : 30));
  const latest = performance.now() + 10_000;
  while (stores.tally.acknowledged < enough && performance.now() < latest) await sleep(5);
  await sleep(random() * 50);
  killed = true;
  await service.kill();
  await writing;
}
