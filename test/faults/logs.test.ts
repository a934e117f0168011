import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { testDimensions } from "../support/settings.js";
import { testVector } from "../support/vectors.js";
import { call, createStore, until } from "../support/httpClient.js";
import { type ServerData, createServerData } from "../support/serverData.js";
import { type Program, compileProgram } from "../support/serverProcess.js";
import { startSlowModel } from "../support/slowModel.js";

let program: Program;
let data: ServerData;
beforeAll(async () => {
  [program, data] = await Promise.all([compileProgram(), createServerData()]);
});
afterAll(async () => {
  await program.remove();
  await data.remove();
});

describe("the logs on standard output", () => {
  test("are JSON lines without keys, texts or vectors, for successes and failures", async () => {
    const marker = "MARKER-7f3a";
    const model = await startSlowModel();
    const server = await program.start({
      ...data.environment,
      LITELLM_PROXY_URL: model.url,
      EMBEDDING__API_KEY: `sk-model-${marker}`,
      LITELLM_MASTER_KEY: `sk-master-${marker}`,
      EMBEDDING__RETRY_SECONDS: "0",
      LOG_LEVEL: "trace",
    });
    const store = await createStore(server.url, marker);
    const post = (path: string, body: object, key?: string) =>
      call(server.url, "POST", `/v1/vector_stores/${store}${path}`, body, key === undefined ? {} : { key });
    const embedding = testVector(4711, testDimensions);
    const row = { id: `id-${marker}`, content: `text ${marker}`, embedding, metadata: { [marker]: marker } };
    const filter = { type: "eq", key: marker, value: marker };

    expect((await post("/embeddings", row)).status).toBe(200);
    expect((await post("/embeddings", { content: `embedded here ${marker}` })).status).toBe(200);
    expect((await post("/search", { query: marker, filters: filter })).status).toBe(200);
    const refused = [
      await post("/embeddings", { ...row, content: `other ${marker}` }),
      await post("/embeddings", { ...row, embedding: [...embedding, 1] }),
      await post("/embeddings/batch", { embeddings: [{ content: marker, metadata: `wrong ${marker}` }] }),
      await post("/search", { query: marker, filters: { type: "and", filters: marker } }),
      await post("/search", { query: marker }, `wrong-${marker}`),
      await call(server.url, "GET", `/v1/vector_stores/${marker}?filters=${marker}`),
      await call(server.url, "GET", `/v1/${marker}`),
    ];
    expect(refused.map(({ status }) => Math.floor(status / 100))).toEqual(refused.map(() => 4));
    // Without the model: the service's failure, logged as an error with all its causes.
    await model[Symbol.asyncDispose]();
    expect((await post("/search", { query: `new ${marker}` })).status).toBeGreaterThanOrEqual(500);
    expect((await post("/embeddings", { content: `new ${marker}` })).status).toBeGreaterThanOrEqual(500);
    const logged = () => server.stdout().match(/"msg":"request"/g)?.length ?? 0;
    await until("all requests to be logged", () => (logged() >= refused.length + 6 ? true : null));
    server.child.kill("SIGKILL");
    await server.exited;

    const lines = server.stdout().trimEnd().split("\n");
    for (const line of lines) {
      expect(JSON.parse(line)).toMatchObject({
        level: expect.any(Number),
        time: expect.any(String),
        msg: expect.any(String),
      });
    }
    expect(lines.some((line) => line.includes('"msg":"request failed"'))).toBe(true);
    for (const output of [server.stdout(), server.stderr()]) {
      expect(output).not.toContain(marker);
      expect(output).not.toContain(String(embedding[0]).slice(0, 8));
    }
  });
});
