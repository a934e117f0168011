import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { connect } from "node:net";
import { startFakePostgres } from "../support/fakePostgres.js";
import { startHalfOpenProxy } from "../support/halfOpenProxy.js";
import { call, until } from "../support/httpClient.js";
import { type ServerData, createServerData } from "../support/serverData.js";
import { type Program, compileProgram } from "../support/serverProcess.js";

const password = "p4ssw0rd-marker";
const withKey = { SERVER_API_KEY: "sk-marker" };

let program: Program;
beforeAll(async () => {
  program = await compileProgram();
});
afterAll(() => program.remove());

/** A port on which nothing listens. */
async function unusedPort(): Promise<number> {
  const fake = await startFakePostgres("says nothing");
  await fake.close();
  return fake.port;
}

/** Runs until the process gives up. @returns its output, which never contains a secret or a stack trace */
async function failedStart(environment: Record<string, string>): Promise<string> {
  const run = program.run({ ...withKey, ...environment });
  expect(await run.exited).toEqual({ code: 1, signal: null });
  expect(run.stdout() + run.stderr()).not.toContain(password);
  expect(run.stderr()).toMatch(/^vector-store: [^\n]+\n$/);
  return run.stderr();
}

describe("a start on a PostgreSQL that does not answer properly", () => {
  test("gives up with a sentence after DATABASE_START_TIMEOUT_SECONDS if nothing listens", async () => {
    const port = await unusedPort();
    const sentence = await failedStart({
      DATABASE_URL: `postgresql://someone:${password}@127.0.0.1:${port}/d`,
      DATABASE_START_TIMEOUT_SECONDS: "1",
    });
    expect(sentence).toMatch(/database.*ECONNREFUSED/i);
  });

  test("also if the server accepts connections and stays silent", async () => {
    const hanging = await startFakePostgres("says nothing");
    const sentence = await failedStart({
      DATABASE_URL: `postgresql://someone:${password}@127.0.0.1:${hanging.port}/d`,
      DATABASE_START_TIMEOUT_SECONDS: "1",
      DATABASE_POOL_TIMEOUT_SECONDS: "1",
    });
    expect(sentence).toMatch(/database.*time/i);
    await hanging.close();
  });

  test("a refused password ends it at once, without a second attempt", async () => {
    const refusing = await startFakePostgres("refuses the password");
    const sentence = await failedStart({
      DATABASE_URL: `postgresql://someone:${password}@127.0.0.1:${refusing.port}/d?sslmode=disable`,
    });
    expect(sentence).toMatch(/password authentication failed for user "someone"/);
    expect(refusing.connections()).toBe(1);
    await refusing.close();
  });
});

(process.env.TEST_DATABASE_URL ? describe : describe.skip)("a start on a real PostgreSQL", () => {
  let data: ServerData;
  let url: string;
  beforeAll(async () => {
    data = await createServerData();
    url = data.environment.DATABASE_URL ?? "";
  });
  afterAll(() => data.remove());

  test("waits until the server is up, and then works", async () => {
    const proxy = await startHalfOpenProxy(url);
    proxy.set("refuse");
    const starting = program.run({ ...withKey, DATABASE_URL: proxy.url });
    await starting.logged("waiting for the database");
    await until("another attempt", () => (proxy.connections() >= 2 ? true : null));
    proxy.set("forward");
    const root = await starting.listening;
    expect((await call(root, "GET", "/readyz")).status).toBe(200);
    expect((await call(root, "POST", "/v1/vector_stores", {}, { key: "sk-marker" })).status).toBe(200);
    // The port does not answer before the database does, so a pod is not ready too early.
    expect(starting.stdout().indexOf("waiting")).toBeLessThan(starting.stdout().indexOf("listening"));
    starting.child.kill("SIGKILL");
    await starting.exited;
    await proxy.close();
  });

  test("an unknown database ends it at once with a sentence that names it", async () => {
    const wrong = new URL(url);
    wrong.pathname = "/no_such_database";
    wrong.password = password;
    expect(await failedStart({ DATABASE_URL: wrong.toString() })).toContain('"no_such_database" does not exist');
  });

  test("a port in use ends it with a sentence, and closes the database connections", async () => {
    const first = program.run({ ...withKey, DATABASE_URL: url });
    const port = Number(new URL(await first.listening).port);
    const sentence = await failedStart({ DATABASE_URL: url, PORT: String(port) });
    expect(sentence).toContain(`Cannot listen on 127.0.0.1:${port}: the port is taken by another process`);
    await new Promise<void>((resolve) => {
      const probe = connect(port, "127.0.0.1", () => {
        probe.destroy();
        resolve();
      });
    });
    first.child.kill("SIGKILL");
    await first.exited;
  });
});
