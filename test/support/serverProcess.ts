import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compiledProgram } from "./program.js";
import { testDimensions, testKey } from "./settings.js";

/** The service as an operator runs it: a separate process, which can be killed. */
export interface ServerProcess {
  child: ChildProcess;
  /** Resolves to the root of the API; rejects with the output if the process ends before it listens. */
  listening: Promise<string>;
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  stdout(): string;
  stderr(): string;
  /** Resolves once standard output contains the text. */
  logged(text: string): Promise<void>;
}

export interface Program {
  run(environment?: Record<string, string>, options?: { cwd?: string; args?: readonly string[] }): ServerProcess;
  /** Starts it and waits until it listens. */
  start(environment?: Record<string, string>): Promise<ServerProcess & { url: string }>;
  /** Ends every process that is still running and removes the working directory. */
  remove(): Promise<void>;
}

/** The program in its own working directory, as a single process that receives its signals itself. */
export async function compileProgram(): Promise<Program> {
  const program = await compiledProgram();
  const directory = mkdtempSync(join(tmpdir(), "vector-store-program-"));
  const processes: ServerProcess[] = [];

  const run: Program["run"] = (environment = {}, { cwd = directory, args = ["serve"] } = {}) => {
    const started = runProcess([join(program, "dist/cli/main.js"), ...args], environment, cwd);
    processes.push(started);
    return started;
  };
  return {
    run,
    start: async (environment) => {
      const started = run({ SERVER_API_KEY: testKey, ...environment });
      return { ...started, url: await started.listening };
    },
    remove: async () => {
      for (const each of processes) each.child.kill("SIGKILL");
      await Promise.all(processes.map((each) => each.exited));
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function runProcess(args: readonly string[], environment: Record<string, string>, cwd: string): ServerProcess {
  const child = spawn(process.execPath, args, {
    cwd,
    // Only PATH from the tests' environment: no other setting may reach the process.
    env: {
      PATH: process.env.PATH,
      HOST: "127.0.0.1",
      PORT: "0",
      EMBEDDING__DIMENSIONS: String(testDimensions),
      ...environment,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [stdout, stderr] = ["", ""];
  const readers = new Set<() => void>();
  const told = () => {
    for (const read of readers) read();
  };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    told();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  let ended = false;
  const exited: ServerProcess["exited"] = new Promise((done) => {
    // "close" comes after all output is read.
    child.once("close", (code, signal) => {
      ended = true;
      done({ code, signal });
      told();
    });
  });
  const find = <T>(what: string, search: () => T | undefined): Promise<T> =>
    new Promise((found, reject) => {
      const read = () => {
        const result = search();
        if (result === undefined && !ended) return;
        readers.delete(read);
        if (result !== undefined) found(result);
        else reject(new Error(`the process ended before ${what}: ${stdout}${stderr}`));
      };
      readers.add(read);
      read();
    });
  const listening = find("it listened", () => {
    const port = /"port":(\d+).*"msg":"listening"/.exec(stdout)?.[1];
    return port === undefined ? undefined : `http://127.0.0.1:${port}`;
  });
  // Tests that expect a failing start use `exited`.
  listening.catch(() => undefined);
  return {
    child,
    listening,
    exited,
    stdout: () => stdout,
    stderr: () => stderr,
    logged: async (text) => {
      await find(`it logged "${text}"`, () => stdout.includes(text) || undefined);
    },
  };
}
