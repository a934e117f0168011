import { afterAll, beforeEach, describe, expect, test } from "@jest/globals";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { lockDataDir } from "../../src/db/connection/dataDirLock.js";
import { runDoctor, startOther, temporaryDirectory } from "./support.js";

const root = temporaryDirectory();
afterAll(() => {
  root.remove();
});
let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(root.path, "d"));
});
const doctor = (environment: Record<string, string>, ...args: string[]) =>
  runDoctor({ DATA_DIR: dataDir, ...environment }, ...args);

describe("an embedded database that another process has open", () => {
  /** Makes the directory look like a database whose lock is taken, so that doctor must not open it. */
  async function inUse<T>(work: () => Promise<T>): Promise<T> {
    mkdirSync(join(dataDir, "pglite"));
    writeFileSync(join(dataDir, "pglite", "PG_VERSION"), "18\n");
    const release = await lockDataDir(dataDir);
    try {
      return await work();
    } finally {
      await release();
    }
  }
  const server = (health: object, status = 200) =>
    startOther((request, response) => {
      const ours = request.url === "/health";
      response
        .writeHead(ours ? status : 404, { "content-type": "application/json" })
        .end(JSON.stringify(ours ? health : {}));
    });
  const healthy = {
    status: "healthy",
    version: "1.2.3",
    database: { status: "healthy", kind: "pglite", version: "18.6", pgvector: "0.8.7" },
    embedding: { dimensions: 1536 },
  };

  test.each<[string, object, string, string]>([
    ["a healthy server is asked", healthy, "ok", "in use by a running process; asked the server 1.2.3 at"],
    ["an unhealthy one", { ...healthy, status: "unhealthy" }, "fail", "says: unhealthy"],
    ["a server on PostgreSQL", { ...healthy, database: { kind: "postgres" } }, "fail", "does not have it open"],
    ["something else", ["hello"], "fail", "does not have it open"],
  ])("%s", async (_, health, status, message) => {
    const other = await server(health);
    try {
      const { code, finding } = await inUse(() => doctor({}, "--url", other.url));
      expect(code).toBe(status === "ok" ? 0 : 1);
      expect(finding("database")).toMatchObject({ status, message: expect.stringContaining(message) });
    } finally {
      await other.close();
    }
  });

  test("other dimensions than the server's are a warning; VECTOR_STORE_URL can name it", async () => {
    const other = await server(healthy);
    try {
      const { finding } = await inUse(() => doctor({ VECTOR_STORE_URL: other.url, EMBEDDING__DIMENSIONS: "8" }));
      expect(finding("pgvector")?.message).toBe("version 0.8.7");
      expect(finding("dimensions")).toMatchObject({
        status: "warn",
        message: "EMBEDDING__DIMENSIONS is 8 here, but 1536 in the running server",
      });
    } finally {
      await other.close();
    }
  });

  const stores = { none: 3, waiting: 2, building: 1, ready: 1 };
  const build = { phase: "building index: loading tuples", done: 43, total: 100, percent: 43.2 };
  const own = "made by vector-store reindex only";
  test.each<[string, object, object | undefined]>([
    [
      "states and progress",
      { indexing: { stores, keywords_building: 0, builds: [build] } },
      {
        status: "ok",
        message:
          "1 store with a ready index; 1 whose index is being built; 2 waiting for the running server to work on it; " +
          `3 stores without an index, searched exactly (${own}); under way: building index: loading tuples 43 %`,
      },
    ],
    [
      "no stores",
      { indexing: { stores: { none: 0, waiting: 0, building: 0, ready: 0 }, keywords_building: 0, builds: [] } },
      { status: "ok", message: `no stores yet (${own})` },
    ],
    [
      "not reported in time",
      { indexing: null },
      { status: "warn", message: expect.stringContaining("did not report them in time") },
    ],
    ["an older server", {}, undefined],
  ])("indexes: %s", async (_, said, expected) => {
    const other = await server({ ...healthy, ...said });
    try {
      const { finding } = await inUse(() => doctor({}, "--url", other.url));
      if (expected === undefined) expect(finding("indexes")).toBeUndefined();
      else expect(finding("indexes")).toMatchObject(expected);
    } finally {
      await other.close();
    }
  });

  test("no server at the address of the settings: FAIL says how to name it", async () => {
    const gone = await startOther(() => undefined);
    await gone.close();
    const { code, finding } = await inUse(() => doctor({ PORT: new URL(gone.url).port }));
    expect(code).toBe(1);
    expect(finding("database")).toMatchObject({
      status: "fail",
      message: expect.stringContaining("ECONNREFUSED"),
      todo: expect.stringContaining("--url"),
    });
  });

  test("settings without an address", async () => {
    const { finding } = await inUse(() => doctor({ PORT: "0" }));
    expect(finding("database")).toMatchObject({ status: "fail", message: expect.stringContaining("PORT is 0") });
  });
});
