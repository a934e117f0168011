import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { KyselyPlugin } from "kysely";
import * as fileBatches from "../../../src/core/files/fileBatches.js";
import { ownWork } from "../../../src/words/caller.js";
import { type TestService, startService } from "../../support/service.js";
import { createStore } from "../../support/stores.js";

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

test("a page of a batch's files takes three statements: the store, the batch, its files", async () => {
  const { deps } = service;
  const store = await createStore(service);
  const cutting = { by: "tokens", size: 800, overlap: 400 } as const;
  const settings = { cutting, visionModel: null, visionPrompt: null };
  const gone = { fileId: "file-gone", attributes: null, settings };
  const { id } = await fileBatches.create(deps, ownWork, store, [gone], null);
  let statements = 0;
  const counting: KyselyPlugin = {
    transformQuery: ({ node }) => {
      statements += 1;
      return node;
    },
    transformResult: ({ result }) => Promise.resolve(result),
  };
  const counted = { ...deps, db: { ...deps.db, run: deps.db.run.withPlugin(counting) } };
  const page = { limit: 10, order: "asc", after: null, before: null } as const;
  const { files } = await fileBatches.listFiles(
    counted,
    ownWork,
    store,
    { batchId: id, status: null, filter: null },
    page,
  );
  expect(files.map((file) => [file.fileId, file.status])).toEqual([["file-gone", "failed"]]);
  expect(statements).toBe(3);
});
