import { afterAll, expect, test } from "@jest/globals";
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { temporaryDirectory } from "./support.js";
import { testDimensions } from "../support/settings.js";

const root = resolve(import.meta.dirname, "../..");
const directory = temporaryDirectory();
const children: ChildProcess[] = [];
afterAll(async () => {
  await Promise.all(
    children
      .filter((child) => child.exitCode === null && child.signalCode === null)
      .map((child) => {
        child.kill("SIGKILL");
        return new Promise((done) => child.once("close", done));
      }),
  );
  directory.remove();
});

interface Running {
  child: ChildProcess;
  output(): { out: string; err: string };
  ended: Promise<{ code: number | null; out: string; err: string }>;
}

/** Runs a command as a user types it, in its own directory and without the tests' settings. */
function start(args: string[], environment: Record<string, string> = {}): Running {
  const child = spawn(join(root, "node_modules/.bin/tsx"), [join(root, "src/cli/main.ts"), ...args], {
    cwd: directory.path,
    env: {
      PATH: process.env.PATH,
      HOME: directory.path,
      EMBEDDING__DIMENSIONS: String(testDimensions),
      ...environment,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.push(child);
  let [out, err] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
  return {
    child,
    output: () => ({ out, err }),
    ended: new Promise((done) =>
      child.once("close", (code) => {
        done({ code, out, err });
      }),
    ),
  };
}

async function until<T>(what: string, ask: () => Promise<T | undefined> | T | undefined, limitMs: number): Promise<T> {
  for (const deadline = Date.now() + limitMs; Date.now() < deadline;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await new Promise((next) => setTimeout(next, 50));
  }
  throw new Error(`waited in vain for ${what}`);
}

test("serve, use it from other processes, refuse a second server on the same data, stop", async () => {
  const server = start(["serve"], { PORT: "0", HOST: "127.0.0.1" });
  const url = await until(
    "the server's address",
    () => {
      if (server.child.exitCode !== null) throw new Error(`the server ended: ${JSON.stringify(server.output())}`);
      const port = /is at http:\/\/localhost:(\d+)\/v1/.exec(server.output().err)?.[1];
      return port === undefined ? undefined : `http://127.0.0.1:${port}`;
    },
    120_000,
  );
  await until("/health", async () => ((await fetch(`${url}/health`)).ok ? true : undefined), 30_000);
  const key = readFileSync(join(directory.path, "data/server-key"), "utf8").trim();

  // The commands find the key in the data directory of the same working directory.
  const cli = (...args: string[]) => start(args, { VECTOR_STORE_URL: url }).ended;
  const created = await cli("stores", "create", "Support FAQ", "--metadata", "team=a");
  expect(created).toMatchObject({ code: 0, err: "" });
  const id = created.out.trim();
  expect(id).toMatch(/^vs_[0-9a-f]{32}$/);
  const added = await fetch(`${url}/v1/vector_stores/${id}/embeddings`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ content: "how to reset your password", metadata: { filename: "faq.md" } }),
  });
  expect(added.status).toBe(200);

  const [listed, found, config, doctor, second] = [
    await cli("stores", "list"),
    await cli("search", id, "reset", "password", "--limit", "1"),
    await cli("litellm-config", id, "--api-base", "http://vector-store:8000/v1"),
    await cli("doctor"),
    await start(["serve"], { PORT: "0", HOST: "127.0.0.1" }).ended,
  ];
  expect(listed.out).toMatch(new RegExp(`^${id}\tSupport FAQ\tcompleted\tnone\t1\t26\t`));
  expect(found.out).toMatch(/^0\.\d{4}\tfaq\.md\thow to reset your password\n$/);
  expect(config.out).toContain(`      vector_store_id: "${id}"\n`);
  expect(config.out).toContain('      api_base: "http://vector-store:8000"\n');
  expect(doctor).toMatchObject({ code: 0, err: "" });
  expect(doctor.out).toContain(`in use by a running process; asked the server`);
  expect(doctor.out).toContain("1 store without an index, searched exactly");
  // The running server builds the index.
  const reindexed = await cli("reindex", id, "--wait");
  expect(reindexed).toMatchObject({ code: 0, out: `${id}\tSupport FAQ\tready\n`, err: "" });
  expect(second.code).toBe(1);
  expect(second.err).toContain("vector-store: The data directory ./data is in use by another vector-store process.");
  expect(second.err).not.toMatch(/^\s+at /m);

  server.child.kill("SIGTERM");
  // No request is under way, so it need not wait its 30 s for them.
  const left = () => (server.child.exitCode === null && server.child.signalCode === null ? undefined : true);
  await until("the server's end", left, 30_000);
  expect(await server.ended).toMatchObject({ code: 0 });

  // Stopped: the commands say so, and doctor opens the database itself.
  const away = await cli("stores", "list");
  expect(away).toMatchObject({ code: 1, out: "" });
  expect(away.err).toMatch(/^vector-store: No server answers at .* \(ECONNREFUSED\)\..*\n$/);
  const direct = await cli("doctor");
  expect(direct.code).toBe(0);
  expect(direct.out).toContain("1 vector store, 1 embedding\n");
  expect(direct.out).toMatch(/^ok +indexes +1 store with a ready index\n/m);
  expect(direct.out).not.toMatch(/^warn +indexes/m);
});
