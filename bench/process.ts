import { execFileSync, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { atEnd } from "./cleanup.js";

export interface RunningProcess {
  url: string;
  /** Resident memory now, in MB. */
  rss: () => number;
  /** CPU time used so far, in seconds; NaN where there is no /proc. */
  cpu: () => number;
  hasEnded: () => boolean;
  stop(): Promise<void>;
  /** Ends it at once, as `kill -9` does. */
  kill(): Promise<void>;
}

const startLimitMs = 60_000;
const stopLimitMs = 30_000;

/**
 * Starts a process that serves HTTP on PORT, and waits until GET `ready` answers 200.
 * @param options.command default: Node. `{port}` in the arguments is replaced by the port.
 */
export async function startProcess(
  args: readonly string[],
  options: { environment: Record<string, string | undefined>; cwd: string; ready: string; command?: string },
): Promise<RunningProcess> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const placed = args.map((each) => each.replace("{port}", String(port)));
  const child = spawn(options.command ?? process.execPath, placed, {
    cwd: options.cwd,
    // Without the caller's settings: a proxy or renamed columns would change what is measured.
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      ...options.environment,
      HOST: "127.0.0.1",
      PORT: String(port),
    },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let words = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    words = (words + text).slice(-2000);
  });
  const exited = new Promise<void>((resolve) => {
    child.once("exit", () => {
      resolve();
    });
    child.once("error", (error) => {
      words += error.message;
      resolve();
    });
  });
  const ended = () => child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
  const stop = async () => {
    if (ended()) return;
    child.kill("SIGTERM");
    const limit = setTimeout(() => child.kill("SIGKILL"), stopLimitMs);
    await exited;
    clearTimeout(limit);
  };
  const kill = async () => {
    child.kill("SIGKILL");
    await exited;
  };
  atEnd(stop);
  const deadline = Date.now() + startLimitMs;
  while (!(await answers(url + options.ready))) {
    if (ended() || Date.now() > deadline) throw new Error(`${args[0] ?? ""} did not start:\n${words}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const pid = child.pid ?? 0;
  return { url, rss: () => residentMb(pid), cpu: () => cpuSeconds(pid), hasEnded: ended, stop, kill };
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}

/** Below the ports that the system gives to whoever asks for any: none of those takes it before the process does. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000);
    if (await isFree(port)) return port;
  }
}

const isFree = (port: number) =>
  new Promise<boolean>((resolve) => {
    const server = createServer();
    server.once("error", () => {
      resolve(false);
    });
    server.listen(port, "127.0.0.1", () => {
      server.close(() => {
        resolve(true);
      });
    });
  });

/** utime and stime of /proc/PID/stat, in ticks of 10 ms. The name before them may contain blanks. */
function cpuSeconds(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /, "")
      .split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return NaN;
  }
}

/** Resident memory of a process now, in MB. */
export function residentMb(pid: number): number {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return Number(kilobytes) / 1024;
  } catch {
    // Not Linux.
    return Number(execFileSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" })) / 1024;
  }
}
