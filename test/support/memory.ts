import { readFileSync } from "node:fs";

/** On PostgreSQL only: the embedded database lives in the same process and grows by itself. /proc is Linux'. */
export const measurable = process.platform === "linux" && Boolean(process.env.TEST_DATABASE_URL);

/** The most memory a process has ever held, in megabytes. */
export function peakMegabytes(pid: number | undefined): number {
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${String(pid)}/status`, "utf8"))?.[1];
  return Number(kilobytes) / 1024;
}
