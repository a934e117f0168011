import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { createTarget } from "../database.js";
import { startService } from "../service.js";
import { createClient } from "./client.js";
import { type Pace, left } from "./pace.js";
import { dimensions, textOf } from "./scene.js";
import { type Outcome, check } from "./verdict.js";

const wholeRounds = 1000;
/** Fewer, as a short run has on a busy machine, show nothing. */
const leastRounds = 20;
/** Rounds after which the directory has the size that it should keep. */
const settled = 0.2;
/** What it may then grow by: half as much again, and one segment of the write-ahead log. */
const mayGrow = { factor: 1.5, megabytes: 16 };

/** Uploads and deletes files on the embedded database again and again: its directory must not grow for ever. */
export async function watchDirectory(pace: Pace): Promise<Outcome> {
  const target = await createTarget("pglite");
  const service = await startService(target, { dimensions, settings: { LOG_LEVEL: "error" } });
  const client = createClient(service.url, service.key);
  const storeId = await service.createStore();
  const sizes = [megabytesOf(target.environment.DATA_DIR)];
  while (sizes.length <= wholeRounds && left(pace) > 0) {
    const name = `directory-${sizes.length}-600.txt`;
    const form = new FormData();
    form.append("file", new Blob([textOf(name)]), name);
    const { id } = await client.ask<{ id: string }>("POST", `/v1/vector_stores/${storeId}/upload`, { form });
    await client.ask("DELETE", `/v1/files/${id}`);
    sizes.push(megabytesOf(target.environment.DATA_DIR));
  }
  await service.stop();
  const rounds = sizes.length - 1;
  const early = sizes[Math.floor(rounds * settled)] ?? 0;
  const last = sizes.at(-1) ?? 0;
  return {
    figures: [
      `${rounds} uploads and deletions of ${Math.round(textOf("directory-1-600.txt").length / 1024)} KB: ` +
        `${(sizes[0] ?? 0).toFixed(0)} MB at first, ${early.toFixed(0)} MB after ${Math.floor(rounds * settled)}, ${last.toFixed(0)} MB at the end`,
    ],
    checks: [
      ...(pace.whole || rounds >= leastRounds
        ? [check("the embedded database's directory does not grow for ever", directoryGrowth(early, last))]
        : []),
      ...(pace.whole
        ? [check(`${wholeRounds} rounds`, rounds < wholeRounds ? [`only ${rounds} in the time`] : [])]
        : []),
    ],
  };
}

/** What is wrong with a directory of `early` MB that has come to `last` MB. */
export function directoryGrowth(early: number, last: number): string[] {
  const most = early * mayGrow.factor + mayGrow.megabytes;
  return last > most ? [`${early.toFixed(0)} → ${last.toFixed(0)} MB; at most ${most.toFixed(0)} MB is normal`] : [];
}

function megabytesOf(directory: string): number {
  let bytes = 0;
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true, encoding: "utf8" })) {
    if (!entry.isFile()) continue;
    // A file may go between the listing and the look at it.
    bytes += statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0;
  }
  return bytes / 2 ** 20;
}
