import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "./client.js";
import { observe } from "./observe.js";
import { type Scene, createScene } from "./scene.js";
import { type Tally, write } from "./writers.js";

/** Comparisons after which a store is left alone, so that comparing it stays quick. */
const roundsPerStore = 3;
/** A file may take this long: a dead process's lease ends after 60 s, and many files may wait then. */
const ingestLimitMs = 240_000;

/** What is written in a campaign against one database, and what was found wrong. */
export interface Stores {
  tally: Tally;
  violations: string[];
  /** Keys compared in all comparisons together. */
  compared: () => number;
  fates: () => { whole: number; part: number; none: number };
  /** Compares everything that is not yet settled. Nobody may be writing. */
  compare(client: Client): Promise<void>;
  /** Writes from several clients until `stopped`; resolves when the last request has ended. */
  write(pick: () => Client, writers: number, stopped: () => boolean): Promise<void>;
  /** Waits until every file is ingested, and compares all. */
  finish(client: Client): Promise<void>;
}

export async function createStores(client: Client, name: string, random: () => number): Promise<Stores> {
  const tally: Tally = { acknowledged: 0, interrupted: 0, declined: 0, failures: [] };
  const violations: string[] = [];
  const fates = { whole: 0, part: 0, none: 0 };
  let [round, made, compared] = [0, 0, 0];
  const make = () => createScene(client, `${name}${++made}`);
  let current = await make();
  /** Stores whose files are still being ingested. */
  let resting: Scene[] = [];

  /** @returns how many files are still being ingested */
  const examine = async (from: Client, scene: Scene): Promise<number> => {
    const { found, inProgress, problems } = await observe(from, scene);
    compared += found.size;
    for (const { fault, key, detail } of scene.ledger.compare(found)) {
      violations.push(`${scene.name}, round ${round}: ${fault}: ${key}: ${detail}`);
    }
    for (const problem of problems) violations.push(`${scene.name}, round ${round}: ${problem}`);
    return inProgress;
  };
  const settle = async (from: Client, scene: Scene) => {
    for (const each of ["whole", "part", "none"] as const) fates[each] += scene.ledger.fates()[each];
    await removeScene(from, scene);
  };
  return {
    tally,
    violations,
    compared: () => compared,
    fates: () => fates,
    async compare(from) {
      round += 1;
      await examine(from, current);
      const waiting: Scene[] = [];
      for (const scene of resting) {
        if ((await examine(from, scene)) > 0) waiting.push(scene);
        else await settle(from, scene);
      }
      resting = waiting;
      if (round % roundsPerStore > 0) return;
      resting.push(current);
      current = await createScene(from, `${name}${++made}`);
    },
    async write(pick, writers, stopped) {
      const scene = current;
      await Promise.all(Array.from({ length: writers }, () => write(scene, pick, random, tally, stopped)));
    },
    async finish(from) {
      const deadline = performance.now() + ingestLimitMs;
      for (const scene of [...resting, current]) {
        while ((await examine(from, scene)) > 0) {
          if (performance.now() > deadline) {
            violations.push(`${scene.name}: files are still in progress after ${ingestLimitMs / 1000} s`);
            break;
          }
          await sleep(500);
        }
        await settle(from, scene);
      }
      resting = [];
    },
  };
}

/** Deletes a store and its files. What is then left of them would be listed with the next store's. */
async function removeScene(client: Client, scene: Scene): Promise<void> {
  await client.ask("DELETE", `/v1/vector_stores/${scene.storeId}`);
  const { data } = await client.ask<{ data: { id: string; filename: string }[] }>("GET", "/v1/files?limit=10000");
  for (const { id } of data.filter(({ filename }) => filename.startsWith(`${scene.name}-`))) {
    await client.ask("DELETE", `/v1/files/${id}`);
  }
}
