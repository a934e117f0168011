import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { EngineError } from "../../../src/engines/engine.js";
import { type TestService, startService } from "../../support/service.js";
import { batchPath, createStore, errorOf, rowsOf, searchPath } from "../../support/stores.js";

/** A store that changes while it is searched: files are hidden while they are ingested, vectors move to an index. */

let service: TestService;
let id: string;
/** How many more searches find that the store has changed. */
let changes = 0;
beforeAll(async () => {
  service = await startService();
  id = await createStore(service);
  await service.post(batchPath(id), { embeddings: rowsOf(3) }).expect(200);
  const { engine } = service.deps;
  service.deps.engine = {
    ...engine,
    nearest: (...search) => {
      if (changes === 0) return engine.nearest(...search);
      changes -= 1;
      return Promise.reject(new EngineError("gone", 409, "The vector store has changed."));
    },
  };
});
afterAll(() => service.close());

const search = () => service.post(searchPath(id), { query: "row" });

test("is searched again, as often as it changes", async () => {
  changes = 9;
  expect((await search().expect(200)).body).toMatchObject({ data: [{}, {}, {}] });
  expect(changes).toBe(0);
});

test("is 503 if it changes during every attempt", async () => {
  changes = 10;
  const answer = await search().expect(503);
  expect(errorOf(answer).message).toMatch(/changes too often/);
  expect(answer.headers["retry-after"]).toBe("2");
});
