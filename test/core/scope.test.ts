import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Readable } from "node:stream";
import fc from "fast-check";
import { answerQuestion } from "../../src/core/answers/answerQuestion.js";
import { loadEmbeddings } from "../../src/core/chunks/bulkLoad.js";
import * as chunks from "../../src/core/chunks/chunks.js";
import { insertChunks } from "../../src/core/chunks/insert.js";
import * as oneRow from "../../src/core/chunks/oneRow.js";
import { attachFile } from "../../src/core/files/attach.js";
import { uploadDocuments } from "../../src/core/files/documents.js";
import * as fileBatches from "../../src/core/files/fileBatches.js";
import * as files from "../../src/core/files/files.js";
import * as storeFiles from "../../src/core/files/storeFiles.js";
import { addTexts } from "../../src/core/files/texts.js";
import * as uploads from "../../src/core/files/uploads.js";
import { rerankDocuments } from "../../src/core/search/rerankDocuments.js";
import { type SearchRequest, searchStores } from "../../src/core/search/searchStores.js";
import * as stores from "../../src/core/stores/stores.js";
import type { Caller } from "../../src/words/caller.js";
import { ApiError } from "../../src/words/errors.js";
import type { IngestSettings } from "../../src/words/file.js";
import { type TestService, startService } from "../support/service.js";
import { testDimensions } from "../support/settings.js";
import { storeInput } from "../support/stores.js";
import { testVector } from "../support/vectors.js";
import { master, user } from "../support/callers.js";
import { fullServer } from "../../src/words/caller.js";

/*
 * What a caller may see, for every use case that takes an id: another user's object gets exactly the answer of a
 * missing one.
 */

const [alice, bob] = [user("alice"), user("bob")];
const nobody: Caller = { kind: "nobody" };
const server: Caller = fullServer;

let service: TestService;
let owned: { store: string; file: string; other: string; upload: string; batch: string };
const { signal } = new AbortController();
const anyFile = { batchId: null, status: null, filter: null };
const whole = { after: null, embeddings: false };
const page = { limit: 10, order: "asc", after: null, before: null } as const;
const settings: IngestSettings = {
  cutting: { by: "tokens", size: 800, overlap: 400 },
  visionModel: null,
  visionPrompt: null,
};
const toAttach = (fileId: string) => ({ fileId, attributes: null, settings });
const bytes = () => Readable.from([Buffer.from("Some words of a document.")]);
const aRow = (id: string) => ({
  id,
  content: "words",
  metadata: null,
  embedding: Float32Array.from(testVector(1, testDimensions)),
  model: null,
});
const changed = { content: null, metadata: { a: 1 }, embedding: null, model: null };
const search: SearchRequest = {
  queries: ["words"],
  rewrite: false,
  filter: null,
  limit: 3,
  scoreThreshold: 0,
  settings: {},
  rerank: { wanted: false, model: null, param: "model", hint: null, candidates: null },
  diversity: 0,
  expand: 0,
};

const fileOf = async (caller: Caller, name: string) =>
  files.register(service.deps, caller, await files.keep(service.deps, name, bytes()), () => ({
    purpose: "assistants",
    expiresAfter: null,
  }));

beforeAll(async () => {
  service = await startService();
  const { deps } = service;
  const store = await stores.create(deps, alice, storeInput("alice's"));
  await insertChunks(deps, alice, store.id, [aRow("of-alice")], () => "", { signal });
  const [file, other] = [await fileOf(alice, "a.txt"), await fileOf(alice, "b.txt")];
  const batch = await fileBatches.create(deps, alice, store.id, [toAttach(file.id)], null);
  await storeFiles.find(deps, alice, store.id, file.id);
  const begun = await uploads.create(deps, alice, {
    filename: "c.txt",
    bytes: 5,
    purpose: "assistants",
    mimeType: "text/plain",
    fileExpiresAfter: null,
  });
  owned = { store: store.id, file: file.id, other: other.id, upload: begun.id, batch: batch.id };
});
afterAll(() => service.close());

type Ids = typeof owned;
type UseCase = (caller: Caller, ids: Ids) => Promise<unknown>;

const readEach = async (iterator: AsyncIterator<unknown>) => {
  while ((await iterator.next()).done !== true);
};

/** Every use case that takes an id, reading ones first. */
const reading: Record<string, UseCase> = {
  "stores.find": (caller, ids) => stores.find(service.deps, caller, ids.store, "read"),
  "stores.describe": (caller, ids) => stores.describe(service.deps, caller, ids.store),
  "stores.use": (caller, ids) => stores.use(service.deps, caller, ids.store, "read"),
  "stores.useForSearch": (caller, ids) => stores.useForSearch(service.deps, caller, ids.store),
  "chunks.list": (caller, ids) =>
    chunks.list(service.deps, caller, ids.store, {}, { ...page, embeddings: false }, signal),
  "chunks.read": (caller, ids) => chunks.read(service.deps, caller, ids.store, ["of-alice"], signal),
  "oneRow.find": (caller, ids) => oneRow.find(service.deps, caller, ids.store, "of-alice", false, signal),
  searchStores: (caller, ids) => searchStores(service.deps, caller, [ids.store], search, signal),
  "files.find": (caller, ids) => files.find(service.deps, caller, ids.file),
  "files.open": (caller, ids) => files.open(service.deps, caller, ids.file),
  "storeFiles.find": (caller, ids) => storeFiles.find(service.deps, caller, ids.store, ids.file),
  "storeFiles.list": (caller, ids) => storeFiles.list(service.deps, caller, ids.store, anyFile, page),
  "storeFiles.content": (caller, ids) => storeFiles.content(service.deps, caller, ids.store, ids.file, whole, signal),
  "fileBatches.find": (caller, ids) => fileBatches.find(service.deps, caller, ids.store, ids.batch),
  "fileBatches.listFiles": (caller, ids) =>
    fileBatches.listFiles(service.deps, caller, ids.store, { ...anyFile, batchId: ids.batch }, page),
};
const changing: Record<string, UseCase> = {
  insert: (caller, ids) => insertChunks(service.deps, caller, ids.store, [aRow("new")], () => "", { signal }),
  loadEmbeddings: (caller, ids) => {
    const rows = Readable.from([{ row: aRow("loaded"), path: "" }]);
    return loadEmbeddings(service.deps, caller, ids.store, rows, { onProgress: () => undefined, signal });
  },
  "oneRow.change": (caller, ids) => oneRow.change(service.deps, caller, ids.store, "of-alice", changed, signal),
  "oneRow.remove": (caller, ids) => oneRow.remove(service.deps, caller, ids.store, "new", signal),
  upload: (caller, ids) => {
    const about = { settings, attributes: null, replaces: false };
    const receive = async () => ({ kept: [await files.keep(service.deps, "u.txt", bytes())], settings: about });
    return uploadDocuments(service.deps, caller, ids.store, receive, { later: true, signal: AbortSignal.any([]) });
  },
  addTexts: (caller, ids) =>
    addTexts(service.deps, caller, ids.store, { texts: ["a text"], metadatas: [], settings, model: null }),
  attach: (caller, ids) => attachFile(service.deps, caller, ids.store, toAttach(ids.other), null),
  "fileBatches.create": (caller, ids) =>
    fileBatches.create(service.deps, caller, ids.store, [toAttach(ids.other)], null),
  "fileBatches.cancel": (caller, ids) => fileBatches.cancel(service.deps, caller, ids.store, ids.batch),
  "storeFiles.setAttributes": (caller, ids) =>
    storeFiles.setAttributes(service.deps, caller, ids.store, ids.file, { colour: "red" }),
  "storeFiles.detach": (caller, ids) => storeFiles.detach(service.deps, caller, ids.store, ids.file),
  "uploads.addPart": (caller, ids) =>
    uploads.addPart(service.deps, caller, ids.upload, () => files.keep(service.deps, "part", bytes())),
  "uploads.complete": (caller, ids) => uploads.complete(service.deps, caller, ids.upload, [], null),
  "uploads.cancel": (caller, ids) => uploads.cancel(service.deps, caller, ids.upload),
  "chunks.remove": (caller, ids) => chunks.remove(service.deps, caller, ids.store, { ids: ["of-alice"] }, signal),
  "stores.update": (caller, ids) => stores.update(service.deps, caller, ids.store, { name: "renamed" }),
  "stores.reindex": (caller, ids) => stores.reindex(service.deps, caller, ids.store),
  "files.remove": (caller, ids) => files.remove(service.deps, caller, ids.file),
  "stores.remove": (caller, ids) => stores.remove(service.deps, caller, ids.store),
};
/** These call a model, which this test lacks; a caller who may not see the store does not get that far. */
const asking: Record<string, UseCase> = {
  rerankDocuments: (caller, ids) =>
    rerankDocuments(
      service.deps,
      caller,
      { storeId: ids.store, model: "m", query: "q", limit: 1, filter: null },
      signal,
    ),
  answerQuestion: (caller, ids) => {
    const asked = { storeIds: [ids.store], question: "q", model: "m", history: [], systemPrompt: null };
    const request = {
      ...asked,
      standAlone: false,
      onEmpty: "answer",
      search,
      temperature: undefined,
      maxTokens: undefined,
    } as const;
    return readEach(
      answerQuestion(service.deps, caller, request, {
        describe: () => ({ text: "", filename: "", page: null }),
        signal,
      }),
    );
  },
};
const all = Object.entries({ ...reading, ...asking, ...changing });

/** A well-formed id of nothing. */
const unknown: Ids = {
  store: "vs_01900000000070008000000000000000",
  file: "file-01900000000070008000000000000000",
  other: "file-01900000000070008000000000000000",
  upload: "upload_01900000000070008000000000000000",
  batch: "vsfb_01900000000070008000000000000000",
};

/** The refusal without ids, to compare two refusals. */
async function refusal(work: Promise<unknown>, ids: Ids): Promise<object> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const message = Object.values(ids).reduce((text, id) => text.replaceAll(id, "ID"), error.message);
    return { status: error.status, message, ...error.details, cause: undefined };
  }
  throw new Error("it was allowed");
}

describe("another user's object", () => {
  test.each(all)("%s: is missing for another user and for nobody", async (name, useCase) => {
    for (const caller of [bob, nobody]) {
      const refused = await refusal(useCase(caller, owned), owned);
      expect(refused).toEqual(await refusal(useCase(caller, unknown), unknown));
      if (!(name in asking)) expect(refused).toMatchObject({ status: 404 });
    }
  });

  test("cannot be attached to your own store", async () => {
    const own = await stores.create(service.deps, bob, storeInput("bob's"));
    const ids = { ...owned, store: own.id };
    await expect(changing.attach?.(bob, ids)).rejects.toMatchObject({ status: 404 });
    // A batch lists files that it cannot attach with the message for a missing file.
    for (const other of [owned.other, unknown.other]) await changing["fileBatches.create"]?.(bob, { ...ids, other });
    const listed = await storeFiles.list(service.deps, bob, own.id, anyFile, page);
    expect(
      listed.files.map(({ fileId, filename, errorMessage }) => [filename, errorMessage?.replace(fileId, "ID")]),
    ).toEqual([
      ["", "No such File object: ID"],
      ["", "No such File object: ID"],
    ]);
  });

  test("is not in any list", async () => {
    for (const [caller, seen] of [
      [alice, 1],
      [server, 1],
      [bob, 0],
      [nobody, 0],
    ] as const) {
      const listed = await stores.list(service.deps, caller, { ...page, limit: 100 });
      expect(listed.stores.filter(({ id }) => id === owned.store)).toHaveLength(seen);
      const kept = await files.list(service.deps, caller, { limit: 100, order: "asc", after: null, purpose: null });
      expect(kept.files.filter(({ id }) => id === owned.file)).toHaveLength(seen);
    }
  });

  test("lists show each caller its own objects, in any order of creation", async () => {
    const [carol, dave] = [user("carol"), user("dave")];
    const makers = fc.array(fc.constantFrom("carol", "dave", "server"), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(makers, async (order) => {
        const made: Record<string, string[]> = { carol: [], dave: [], server: [] };
        const callers: Record<string, Caller> = { carol, dave, server };
        for (const who of order) {
          const store = await stores.create(service.deps, callers[who] ?? nobody, storeInput(who));
          made[who]?.push(store.id);
        }
        for (const [who, caller] of [
          ["carol", carol],
          ["dave", dave],
        ] as const) {
          const { stores: seen } = await stores.list(service.deps, caller, { ...page, limit: 100 });
          expect(seen.map(({ id }) => id).sort()).toEqual(made[who]?.sort());
        }
        expect((await stores.list(service.deps, nobody, page)).stores).toEqual([]);
        for (const ids of Object.values(made)) for (const id of ids) await stores.remove(service.deps, server, id);
      }),
      { numRuns: 10 },
    );
  });
});

describe("a user's object", () => {
  test.each(Object.entries(reading))("%s: works for the user and the server", async (_name, useCase) => {
    for (const caller of [alice, server, master]) await useCase(caller, owned);
  });

  test.each(Object.entries(changing))("%s: works for the user", async (_name, useCase) => {
    await useCase(alice, owned).catch((error: unknown) => {
      // Some calls fail because of the object's state, such as a second end of one upload.
      if (!(error instanceof ApiError) || error.status === 404 || error.status === 403) throw error;
    });
  });
});
