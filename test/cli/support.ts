import { expect } from "@jest/globals";
import { existsSync, mkdtempSync, openAsBlob, rmSync } from "node:fs";
import { type RequestListener, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import type { Io } from "../../src/cli/io.js";
import { runCli } from "../../src/cli/program.js";
import { openPglite } from "../../src/db/connection/pglitePool.js";
import { createTestDatabase } from "../support/database.js";
import { databaseAt, testServer } from "../support/testServer.js";
import { testDimensions } from "../support/settings.js";

export interface Outcome {
  code: number;
  out: string;
  err: string;
}

/** Runs a command line in this process, with its own environment. */
export async function run(
  args: readonly string[],
  options: { environment?: Record<string, string>; columns?: number; stdin?: string } & Pick<Io, "confirm"> = {},
): Promise<Outcome> {
  let [out, err] = ["", ""];
  const terminal = options.columns === undefined ? {} : { isTTY: true, columns: options.columns };
  const code = await runCli(args, {
    stdout: { write: (text) => (out += text), ...terminal },
    stderr: { write: (text) => (err += text), ...terminal },
    stdin: () => Readable.from([Buffer.from(options.stdin ?? "")]),
    ...(options.confirm && { confirm: options.confirm }),
    environment: () => options.environment ?? {},
  });
  // Users must never see a stack trace.
  if (/^\s+at .*:\d+/m.test(out + err)) throw new Error(`a stack was printed: ${out}${err}`);
  return { code, out, err };
}

interface Report {
  ok: boolean;
  checks: { check: string; status: "ok" | "warn" | "fail"; message: string; todo?: string }[];
}

/** Runs `doctor --json`, and checks what holds for every report. */
export async function runDoctor(environment: Record<string, string>, ...args: string[]) {
  const { code, out, err } = await run(["doctor", "--json", ...args], { environment });
  const { ok, checks } = JSON.parse(out) as Report;
  const failed = checks.filter((each) => each.status === "fail");
  expect({ ok, code, quiet: err === "" }).toEqual(
    failed.length === 0 ? { ok: true, code: 0, quiet: true } : { ok: false, code: 1, quiet: false },
  );
  // A finding says what to do unless it is ok.
  for (const each of checks) expect(each.todo === undefined).toBe(each.status === "ok");
  return { code, err, checks, finding: (check: string) => checks.find((each) => each.check === check) };
}

/** A database that no server has used, named by settings: PostgreSQL, or its own DATA_DIR. */
export interface Place {
  environment: Record<string, string>;
  /** Runs statements beside the commands; opens the embedded database for them and closes it again. */
  exec(sql: string): Promise<void>;
  query(sql: string): Promise<Record<string, unknown>[]>;
  remove(): Promise<void>;
}

export async function createPlace(): Promise<Place> {
  const settings = { EMBEDDING__DIMENSIONS: String(testDimensions), SERVER_API_KEY: "sk-mine-0123456789" };
  const server = testServer();
  if (server === null) return embeddedPlace(settings);
  const database = await createTestDatabase();
  const [row] = await database.query<{ name: string }>("SELECT current_database() AS name");
  return {
    environment: { ...settings, DATABASE_URL: databaseAt(server.url, row?.name ?? "") },
    exec: (sql) => database.exec(sql),
    query: (sql) => database.query(sql),
    remove: () => database.drop(),
  };
}

function embeddedPlace(settings: Record<string, string>): Place {
  const directory = temporaryDirectory();
  const dataDir = join(directory.path, "pglite");
  // From the suite's dump of an empty database, which saves the seconds of initdb.
  const open = async () =>
    existsSync(dataDir)
      ? openPglite({ dataDir })
      : openPglite({ dataDir, loadDataDir: await openAsBlob(process.env.TEST_PGLITE_DUMP ?? "") });
  return {
    environment: { ...settings, DATA_DIR: directory.path },
    exec: async (sql) => {
      const pglite = await open();
      await pglite.exec(sql).finally(() => pglite.close());
    },
    query: async (sql) => {
      const pglite = await open();
      return (await pglite.query<Record<string, unknown>>(sql).finally(() => pglite.close())).rows;
    },
    remove: () => {
      directory.remove();
      return Promise.resolve();
    },
  };
}

export function temporaryDirectory(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "vector-store-cli-"));
  return {
    path,
    remove: () => {
      rmSync(path, { recursive: true, force: true });
    },
  };
}

/** Another HTTP server on its own port. */
export async function startOther(listener: RequestListener): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A server that gives every request the same answer and keeps the JSON bodies of requests. */
export async function startRecorder(answer: object) {
  const asked: unknown[] = [];
  const other = await startOther((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => (body += text));
    request.once("end", () => {
      asked.push(JSON.parse(body));
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(answer));
    });
  });
  return { ...other, asked };
}
