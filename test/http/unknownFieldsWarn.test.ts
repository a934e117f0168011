import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type TestService, startService } from "../support/service.js";
import { createStore, rowOf, rowsOf, rowsPath } from "../support/stores.js";
import { upload } from "../support/upload.js";
import { send } from "./requests.js";

let service: TestService;
let lenient: TestService;
let store: string;
beforeAll(async () => {
  service = await startService();
  lenient = await startService({ environment: { UNKNOWN_FIELDS: "warn" } });
  store = await createStore(service);
});
afterAll(async () => {
  await service.close();
  await lenient.close();
});

describe("UNKNOWN_FIELDS=warn", () => {
  test("the request is done, and the header names each unknown field once", async () => {
    const made = await createStore(lenient);
    const rows = { embeddings: [1, 2, 3].map((nr) => ({ ...rowOf(nr), metdata: {} })), café: 1 };
    const inserted = await lenient.post(`${rowsPath(made)}/batch`, rows).expect(200);
    expect(inserted.body).toMatchObject({ count: 3 });
    expect(inserted.headers["x-vector-store-warning"]).toBe(
      'embeddings[0].metdata: unknown parameter; did you mean "metadata"?; it was ignored; ' +
        "caf\\u00e9: unknown parameter; known here: embeddings, return, on_conflict, embedding_model; it was ignored",
    );
    // The header of a stream is sent with its first commit.
    const lines = [...rowsOf(500).map((row) => ({ ...row, metdata: {} })), { ...rowOf(501), embeding: [] }];
    const stream = await upload(lenient.url, `${rowsPath(made)}/batch`, [
      lines.map((line) => JSON.stringify(line)).join("\n"),
    ]);
    expect(stream.lines.at(-1)).toMatchObject({
      count: 501,
      warning: 'line 501.embeding: unknown parameter; did you mean "embedding"?; it was ignored',
    });
    const deleted = await send(lenient.url, {
      method: "DELETE",
      path: `/v1/vector_stores/${made}`,
      headers: { "content-type": "text/plain" },
      body: "x",
    });
    expect(deleted.status).toBe(200);
    expect(deleted.headers["x-vector-store-warning"]).toMatch(/^the body was ignored: /);
  });

  test("both are counted by the known field, never by the caller's words", async () => {
    const noise = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`strange${i}`, i]));
    await lenient.post("/v1/vector_stores", noise).expect(200);
    await service.post(`/v1/vector_stores/${store}/search`, { query: "row", where: 1 }).expect(400);
    const of = async (from: TestService) =>
      (await from.get("/metrics").expect(200)).text
        .split("\n")
        .filter((line) => line.includes("unknown_fields_total{"));
    const route = 'route="/vector_stores/:vector_store_id/search",field="filters",action="refused"';
    expect((await of(service)).some((line) => line.includes(route))).toBe(true);
    const warned = await of(lenient);
    expect(warned).toContain(
      'vector_store_unknown_fields_total{route="/vector_stores",field="other",action="warned"} 20',
    );
    expect(warned.join()).not.toMatch(/strange|café/);
  });
});
