import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type TestService, startService } from "../support/service.js";
import { createStore, errorOf, rowOf, rowsPath } from "../support/stores.js";
import { models } from "./badModelRequests.js";
import { type BadRequest, bodies, fieldsOfAStore, idsAndPages } from "./badRequests.js";
import { batches, listsAndDeletes, rows, searches, streams } from "./badRowsAndSearches.js";
import { modelsAndSettings, rankings } from "./badSettings.js";
import { send } from "./requests.js";

let service: TestService;
let store: string;
let before: unknown;

beforeAll(async () => {
  service = await startService({ environment: { MAX_BODY_MB: "12" } });
  store = await createStore(service, { name: "before", metadata: { team: "a" } });
  for (const id of ["first", "second"]) {
    await service.post(rowsPath(store), rowOf(1, { id, metadata: { b: 2 } })).expect(200);
  }
  before = await everything();
});
afterAll(() => service.close());

/** All stored data except the time of last use, because a request that is refused late counts as use. */
async function everything() {
  return {
    tables: await service.database.query(
      "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1",
    ),
    stores: await service.database.query(
      `SELECT id, name, description, metadata, expires_after, chunk_count::int, content_bytes::int, embedding_dimensions
       FROM vector_stores ORDER BY id`,
    ),
    rows: await service.database.query(
      "SELECT id, vector_store_id, content, metadata, embedding::text FROM embeddings ORDER BY id",
    ),
  };
}

const types: Record<number, string> = { 401: "authentication_error" };
/** What no caller may see: stack traces, SQL, the key, local paths. */
const leak = /\n|\bat .*:\d+|node_modules|\bSELECT\b|\bINSERT\b|\bpg_|sk-test|\.ts\b|\/src\//;

describe.each(
  Object.entries({
    ...{ fieldsOfAStore, modelsAndSettings, bodies, idsAndPages, rows, batches, streams },
    ...{ searches, rankings, listsAndDeletes, models },
  }),
)("a bad request is refused with a reason: %s", (_group, requests) => {
  test.each(requests.map((each): [string, BadRequest] => [each.name, each]))("%s", async (_name, request) => {
    const { status = 400, param, message } = request;
    const answer = await send(service.url, { ...request, path: request.path.replace("{store}", store) });
    expect({ status: answer.status, text: answer.text.slice(0, 500) }).toEqual({
      status,
      text: expect.stringMatching(/^\{"error":\{/),
    });
    expect(answer.headers["content-type"]).toMatch(/^application\/json/);
    const body = JSON.parse(answer.text) as object;
    expect(body).toEqual({
      error: {
        message: expect.stringMatching(message),
        type: types[status] ?? "invalid_request_error",
        param,
        code: expect.stringMatching(/^[a-z_]+$/),
      },
    });
    const said = errorOf({ body }).message;
    expect(said).not.toMatch(leak);
    expect(said.length).toBeLessThan(700);
  });
});

describe("after all of them", () => {
  test("there are more than 80, with unique names", () => {
    const stores = [fieldsOfAStore, modelsAndSettings, bodies, idsAndPages];
    const all = [...stores, rows, batches, streams, searches, rankings, listsAndDeletes, models].flat();
    expect(all.length).toBeGreaterThan(80);
    expect(new Set(all.map((each) => each.name)).size).toBe(all.length);
  });

  test("nothing is added, changed or lost", async () => {
    expect(await everything()).toEqual(before);
  });
});
