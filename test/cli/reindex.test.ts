import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import type { ServerResponse } from "node:http";
import { giveEngine } from "../support/engine.js";
import { type TestService, startService } from "../support/service.js";
import { batchPath, createStore, rowsOf } from "../support/stores.js";
import { run, startOther } from "./support.js";
import { testKey } from "../support/settings.js";

let service: TestService;
let maintenance: Promise<unknown>[] = [];
beforeAll(async () => {
  service = await startService();
});
afterEach(async () => {
  giveEngine(service);
  await Promise.all(maintenance);
  maintenance = [];
});
afterAll(() => service.close());

const cli = (args: string[], columns?: number) =>
  run(["reindex", "--url", service.url, "--key", testKey, ...args], columns === undefined ? {} : { columns });
const stateOf = async (id: string) =>
  ((await service.get(`/v1/vector_stores/${id}`).expect(200)).body as { index: { state: string } }).index.state;

/** Like the running server: a request to reindex starts the next round at once. */
function maintain(): void {
  giveEngine(service, {
    wake: () => {
      maintenance.push(service.deps.engine.upkeep(() => Promise.resolve(true)));
    },
  });
}

async function filledStore(name: string): Promise<string> {
  const id = await createStore(service, { name });
  await service.post(batchPath(id), { embeddings: rowsOf(20), return: "count" }).expect(200);
  return id;
}

describe("reindex", () => {
  test("requests it and prints the state of each index, without waiting", async () => {
    const [a, b] = [await filledStore("first"), await filledStore("second")];
    expect(await stateOf(a)).toBe("none");
    const { code, out, err } = await cli([a, b, a]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toBe(`${a}\tfirst\twaiting\n${b}\tsecond\twaiting\n`);
    await service.deps.engine.upkeep(() => Promise.resolve(true));
    expect(await stateOf(a)).toBe("ready");
    expect((await run(["stores", "list", "--url", service.url, "--key", testKey])).out).toContain(
      `${a}\tfirst\tcompleted\tready\t20\t`,
    );
  });

  test("--wait returns the stores once their indexes are ready", async () => {
    const id = await filledStore("waited for");
    maintain();
    const { code, out, err } = await cli([id, "--wait", "--json"]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(JSON.parse(out)).toMatchObject({
      object: "list",
      data: [{ id, object: "vector_store", index: { state: "ready", indexed: 20, fresh: 0 } }],
    });
  });

  test("--all means every store, beyond the API's page of 100", async () => {
    for (let i = 0; i < 101; i += 1) await createStore(service, { name: `s${i}` });
    const { out } = await cli(["--all"]);
    const stores = (await run(["stores", "list", "--limit", "1000", "--url", service.url, "--key", testKey])).out;
    const ids = (text: string) => text.split("\n").map((line) => line.split("\t")[0]);
    expect(ids(out)).toEqual(ids(stores));
    expect(ids(out).length).toBeGreaterThan(101);
    expect(out).not.toContain("none");
  });

  test.each([
    [[], "Which vector stores? Give their ids, or --all."],
    [["vs_1", "--all"], "Give either ids or --all."],
    [[".."], "id is missing"],
    [["vs_00000000000000000000000000000000"], "No vector store found with id 'vs_00000000000000000000000000000000'"],
  ])("%j is refused: %s", async (args, sentence) => {
    const { code, out, err } = await cli(args);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toMatch(/^vector-store: /);
    expect(err).toContain(sentence);
  });
});

describe("reindex at a fake server", () => {
  const send = (response: ServerResponse, status: number, body: object) =>
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  const store = (id: string, index: object) => ({ id, object: "vector_store", name: id, index });
  const gone = { error: { message: "No vector store found.", param: "vector_store_id", code: "not_found" } };

  /** Answers each request with the next answer of its list, then repeats the last one. */
  async function play(answers: Record<string, [number, object][]>, ...args: string[]) {
    const asked: string[] = [];
    const server = await startOther((request, response) => {
      const name = `${request.method ?? ""} ${(request.url ?? "").replace(/\?.*/, "")}`;
      asked.push(name);
      const list = answers[name] ?? [];
      const [status, body] = (list.length > 1 ? list.shift() : list[0]) ?? [404, { error: { message: "no" } }];
      request.resume().once("end", () => send(response, status, body));
    });
    try {
      return { asked, ...(await run(["reindex", "--url", server.url, "--key", "k", ...args], { columns: 100 })) };
    } finally {
      await server.close();
    }
  }

  test("--wait shows state, rows and the progress of the build on one line of the terminal, and clears it", async () => {
    const health = (percent: number) => ({
      indexing: {
        stores: { none: 0, waiting: 0, building: 1, ready: 0 },
        builds: [{ phase: "building index", done: 1, total: 2, percent }],
      },
    });
    const { code, out, err, asked } = await play(
      {
        "POST /v1/vector_stores/a/reindex": [[200, store("a", { state: "waiting" })]],
        "GET /v1/vector_stores/a": [
          [200, store("a", { state: "building", indexed: 0, fresh: 500 })],
          [200, store("a", { state: "building", indexed: 500, fresh: 0 })],
          [200, store("a", { state: "ready", indexed: 500, fresh: 0 })],
        ],
        // A missing progress is not a failure.
        "GET /v1/health": [
          [503, {}],
          [200, health(0)],
          [200, health(43.7)],
        ],
      },
      ...["a", "--wait"],
    );
    expect(code).toBe(0);
    expect(err.split("\r\u001b[2K")).toEqual([
      "",
      "1 of 1: a waiting",
      "1 of 1: a building 0 %; 0 rows indexed, 500 fresh; building index",
      "1 of 1: a building 43 %; 500 rows indexed, 0 fresh; building index",
      "",
    ]);
    expect(out).toBe("ID  NAME  INDEX\na   a     ready\n");
    expect(asked.filter((each) => each === "GET /v1/vector_stores/a")).toHaveLength(3);
  });

  test("a store deleted meanwhile is left out with --all, and an error if named", async () => {
    const answers = () =>
      ({
        "GET /v1/vector_stores": [[200, { object: "list", data: [store("a", {}), store("b", {})], has_more: false }]],
        "POST /v1/vector_stores/a/reindex": [[404, gone]],
        "POST /v1/vector_stores/b/reindex": [[200, store("b", { state: "waiting" })]],
        "GET /v1/vector_stores/b": [[404, gone]],
      }) satisfies Record<string, [number, object][]>;
    expect(await play(answers(), "--all", "--wait", "--json")).toMatchObject({
      code: 0,
      out: `${JSON.stringify({ object: "list", data: [] }, null, 2)}\n`,
    });
    expect(await play(answers(), "b", "--wait")).toMatchObject({
      code: 1,
      out: "",
      err: expect.stringContaining("No vector store found."),
    });
  });

  test("a server that cannot reindex is an error", async () => {
    const list = { object: "list", data: [store("a", {})], has_more: false };
    const { code, err } = await play({ "GET /v1/vector_stores": [[200, list]] }, "--all");
    expect(code).toBe(1);
    expect(err).toContain("HTTP 404");
  });

  test("other JSON than a vector store is an error", async () => {
    const { code, err } = await play({ "POST /v1/vector_stores/a/reindex": [[200, { hello: 1 }]] }, "a");
    expect(code).toBe(1);
    expect(err).toContain("without a vector store");
  });
});
