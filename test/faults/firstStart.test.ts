import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { type Server, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { call, createStore, until } from "../support/httpClient.js";
import { type ServerData, createServerData } from "../support/serverData.js";
import { type Program, type ServerProcess, compileProgram } from "../support/serverProcess.js";

let program: Program;
let data: ServerData;
/** Empty, and with a name that needs quoting in a shell. */
let directory: string;

beforeAll(async () => {
  [program, data] = await Promise.all([compileProgram(), createServerData()]);
});
afterAll(async () => {
  await program.remove();
  await data.remove();
});
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "vector store's first-"));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

/** The empty directory holds the key, and the database unless that is on a server. */
const environment = () => ({ ...data.environment, DATA_DIR: join(directory, "data") });

async function kill({ child, exited }: ServerProcess): Promise<void> {
  child.kill("SIGKILL");
  await exited;
}

/** Runs until the process gives up. @returns its message: one sentence (or a list), without a stack trace */
async function failedStart(more: Record<string, string>): Promise<string> {
  const run = program.run({ ...environment(), SERVER_API_KEY: "sk-secret-marker", ...more });
  expect(await run.exited).toEqual({ code: 1, signal: null });
  expect(run.stderr()).toMatch(/^vector-store: /);
  expect(run.stdout() + run.stderr()).not.toMatch(/\n\s+at |sk-secret-marker/);
  return run.stderr();
}

describe("a first start without a configured key", () => {
  test("creates a key that only its owner can read and the next start keeps, and prints how to use it but not the key", async () => {
    const first = program.run(environment());
    const url = await first.listening;
    const file = join(directory, "data", "server-key");
    const key = readFileSync(file, "utf8").trim();
    expect(key).toMatch(/^sk-vs-[\w-]{32}$/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(directory, "data")).mode & 0o777).toBe(0o700);

    await until("the instructions", () => (first.stderr().includes("export ") ? true : null));
    expect(first.stdout() + first.stderr()).not.toContain(key);
    const command = /export VECTOR_STORE_KEY=.*/.exec(first.stderr())?.[0] ?? "";
    const shown = execFileSync("sh", ["-c", `${command} && printf %s "$VECTOR_STORE_KEY"`], { encoding: "utf8" });
    expect(shown).toBe(key);
    expect((await call(url, "GET", "/v1/vector_stores", undefined, { key: shown })).status).toBe(200);
    for (const wrong of ["", "sk-vs-", `${key}x`, key.slice(0, -1), key.toUpperCase()]) {
      expect((await call(url, "GET", "/v1/vector_stores", undefined, { key: wrong })).status).toBe(401);
    }
    await kill(first);

    // A line at once, because creating a database takes seconds.
    expect(first.stdout()).toMatch(/^\{[^\n]*"msg":"starting"\}\n/);

    const second = program.run(environment());
    expect((await call(await second.listening, "GET", "/v1/vector_stores", undefined, { key })).status).toBe(200);
    await until("its address", () => (second.stderr().includes(" is at http") ? true : null));
    expect(second.stderr()).not.toContain("A key was generated");
    expect(readFileSync(file, "utf8").trim()).toBe(key);
    await kill(second);
  });

  test("two concurrent starts have the same key, or one is refused because of the data directory", async () => {
    const both = [program.run(environment()), program.run(environment())];
    const urls: string[] = [];
    for (const each of both) {
      try {
        urls.push(await each.listening);
      } catch (error) {
        // Only the embedded database allows just one process.
        if (data.kind === "postgres") throw error;
        expect(each.stderr()).toMatch(/data directory .* is in use by another/);
      }
    }
    expect(urls).toHaveLength(data.kind === "postgres" ? 2 : 1);
    expect(readdirSync(join(directory, "data")).filter((file) => file.startsWith("server-key"))).toEqual([
      "server-key",
    ]);
    const key = readFileSync(join(directory, "data", "server-key"), "utf8").trim();
    for (const url of urls) {
      expect((await call(url, "GET", "/v1/vector_stores", undefined, { key })).status).toBe(200);
    }
    await Promise.all(both.map(kill));
  });

  test("with an empty key file says what to do", async () => {
    const file = join(directory, "server-key");
    writeFileSync(file, "\n");
    expect(await failedStart({ SERVER_API_KEY: "", DATA_DIR: directory })).toContain(`The file ${file} is empty`);
  });

  test("ends with a sentence if the data directory cannot be created", async () => {
    const file = join(directory, "a file");
    writeFileSync(file, "");
    for (const dataDir of [file, join(file, "data")]) {
      const sentence = await failedStart({ SERVER_API_KEY: "", DATA_DIR: dataDir });
      expect(sentence).toContain(dataDir);
      expect(sentence).toContain("SERVER_API_KEY");
    }
  });
});

/** Whether the data directory contains anything of the database. */
const begun = (made: string) => readdirSync(join(made, "..")).some((name) => name.startsWith("pglite"));

(process.env.TEST_DATABASE_URL ? describe.skip : describe)("a data directory of the embedded database", () => {
  test("that cannot be created ends the start with a sentence", async () => {
    const file = join(directory, "a file");
    writeFileSync(file, "");
    for (const dataDir of [file, join(file, "data")])
      expect(await failedStart({ DATA_DIR: dataDir })).toContain(dataDir);
  });

  test("survives a first start that is killed while it creates the database", async () => {
    const made = join(directory, "data", "pglite");
    const first = program.run(environment());
    await until("the database to be begun", () => (existsSync(join(made, "..")) && begun(made) ? true : null));
    await kill(first);
    expect(first.stdout()).not.toContain("listening");
    // The moment in which only its first files exist is too short to hit reliably.
    rmSync(made, { recursive: true, force: true });
    mkdirSync(made);
    writeFileSync(join(made, "PG_VERSION"), "18\n");
    const second = await program.start(environment());
    const store = await createStore(second.url);
    await kill(second);
    // From now on, it is never treated as a half-created database.
    const third = await program.start(environment());
    expect((await call(third.url, "GET", `/v1/vector_stores/${store}`)).status).toBe(200);
    await kill(third);
  });
});

describe("a start that fails", () => {
  let taken: Server;
  let port: number;
  beforeAll(async () => {
    taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    port = (taken.address() as { port: number }).port;
  });
  afterAll(() => {
    taken.close();
  });

  test("because the port is in use says so, and releases the database", async () => {
    const sentence = await failedStart({ ...data.environment, PORT: String(port) });
    expect(sentence).toContain(
      `Cannot listen on 127.0.0.1:${port}: the port is taken by another process. Set HOST or PORT.`,
    );
    const next = await program.start(data.environment);
    await createStore(next.url);
    await kill(next);
  });

  test("because the port is in use has created nothing: no directory, no database, no key", async () => {
    const dataDir = join(directory, "untouched");
    await failedStart({ DATA_DIR: dataDir, DATABASE_URL: "", SERVER_API_KEY: "", PORT: String(port) });
    expect(existsSync(dataDir)).toBe(false);
  });

  test("because the key is that of an example says so", async () => {
    const sentence = await failedStart({ SERVER_API_KEY: "your-api-key-here" });
    expect(sentence).toContain("SERVER_API_KEY is the key of an example, which everybody knows");
  });

  test("not because of a misspelt setting or a short key: these are warned of, without their values", async () => {
    const run = program.run({ ...environment(), SERVER_API_KEY: "sk-hunter2", EMBEDING__MODEL: "hunter3" });
    await run.listening;
    expect(run.stdout()).toContain("EMBEDING__MODEL is not a setting and is ignored; EMBEDDING__MODEL is one");
    expect(run.stdout()).toContain("SERVER_API_KEY has fewer than 16 characters");
    expect(run.stdout() + run.stderr()).not.toMatch(/hunter/);
    await kill(run);
  });

  test.each([
    ["SERVER_API_KEY", "OPENAI_API_KEY", "sk-one", "sk-two"],
    ["EMBEDDING__MODEL", "EMBEDDING_MODEL", "model-1", "model-2"],
    ["EMBEDDING__BASE_URL", "EMBEDDING_API_BASE_URL", "http://one:4000", "http://two:4000"],
  ])("because %s and %s disagree names both, but no value", async (name, alias, one, two) => {
    const sentence = await failedStart({ [name]: one, [alias]: two });
    expect(sentence).toContain(`${name} and ${alias} are two names for one setting`);
    expect(sentence).not.toMatch(new RegExp(`${one}|${two}`));
  });

  test("because of wrong settings names all of them", async () => {
    const sentence = await failedStart({
      PORT: "NaN",
      MAX_BODY_MB: "0",
      LOG_LEVEL: "loud",
      LITELLM_PROXY_URL: "proxy:4000",
    });
    for (const name of ["PORT", "MAX_BODY_MB", "LOG_LEVEL", "LITELLM_PROXY_URL"])
      expect(sentence).toContain(`- ${name} `);
  });

  test.each(["eighty", "-1", "65536", "80.5", "Infinity", "1e9"])("because PORT is %s", async (value) => {
    expect(await failedStart({ PORT: value })).toMatch(/- PORT must be /);
  });
});
