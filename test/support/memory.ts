import { readFileSync } from "node:fs";

/** On PostgreSQL only, because the embedded database grows in the same process; and on Linux, because of /proc. */
export const measurable = process.platform === "linux" && Boolean(process.env.TEST_DATABASE_URL);

/** A process's peak memory in megabytes. */
export function peakMegabytes(pid: number | undefined): number {
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${String(pid)}/status`, "utf8"))?.[1];
  return Number(kilobytes) / 1024;
}
