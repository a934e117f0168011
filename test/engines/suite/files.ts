import { describe, expect, test } from "@jest/globals";
import { EngineError } from "../../../src/engines/engine.js";
import { type Suite, chunkOf, vectorOf } from "./support.js";

export function filesSuite(name: string, suite: Suite): void {
  const { under, current, change, id, makeStore, put, idsIn, nearestIds, trueCount } = suite;
  const inFile = (fileId: string, seeds: number[]) =>
    seeds.map((seed) =>
      chunkOf(seed, {
        id: id(`${fileId}-${seed}`),
        content: `word${seed} shared`,
        metadata: { file_id: fileId, chunk_index: seed },
      }),
    );

  describe(`${name}: files`, () => {
    test("nothing finds the chunks of a hidden file until it is shown", async () => {
      const store = await makeStore();
      await put(store, inFile("seen", [1, 2]));
      await change(store, [{ do: "hide", fileId: "hidden" }]);
      await change(store, [{ do: "put", chunks: inFile("hidden", [3, 4]), onConflict: "skip" }], { as: "ingestion" });
      expect(await nearestIds(store, 3, 10)).toHaveLength(2);
      expect(await idsIn(store)).toEqual([id("seen-1"), id("seen-2")]);
      const { words } = under().engine;
      const query = { text: "shared", language: words?.usualLanguage ?? "", filter: null, limit: 10 };
      const byWords = await words?.matching(await current(store), query);
      expect(byWords?.length ?? 2).toBe(2);
      expect(await trueCount(store)).toBe(4);
      await change(store, [{ do: "show", fileId: "hidden" }]);
      expect(await nearestIds(store, 3, 1)).toEqual([id("hidden-3")]);
      expect(await idsIn(store)).toHaveLength(4);
    });

    test("a search with a store read before a file was shown finds the file, or fails as gone", async () => {
      const store = await makeStore();
      await change(store, [{ do: "hide", fileId: "late" }]);
      await change(store, [{ do: "put", chunks: inFile("late", [5]), onConflict: "skip" }], { as: "ingestion" });
      const stale = await current(store);
      await change(store, [{ do: "show", fileId: "late" }]);
      const found = await under()
        .engine.nearest(stale, { embedding: vectorOf(5), filter: null, limit: 10, recall: "high" })
        .then((chunks) => chunks.map((chunk) => chunk.id))
        .catch((error: unknown) => (error instanceof EngineError ? error.kind : error));
      expect([[id("late-5")], "gone"]).toContainEqual(found);
    });

    test("relabelling removes keys from the metadata of a file's chunks and sets others", async () => {
      const store = await makeStore();
      const file = { fileId: id("file"), chunkBase: "0123456789abcdef01230003" };
      const chunks = [0, 1].map((n) => {
        const metadata = { file_id: file.fileId, old: 1, n };
        return chunkOf(n + 1, { id: under().engine.ids.ofFile(file.chunkBase, n), metadata });
      });
      await put(store, [...chunks, chunkOf(9, { id: id("other"), metadata: { old: 1 } })]);
      await change(store, [{ do: "relabel", file, remove: ["old"], set: { fresh: "x", n: 7 } }], { as: "correction" });
      const found = await idsIn(store, { filter: { type: "eq", key: "fresh", value: "x" } });
      expect(found).toHaveLength(2);
      expect(await idsIn(store, { filter: { type: "eq", key: "old", value: 1 } })).toEqual([id("other")]);
      expect(await idsIn(store, { filter: { type: "eq", key: "n", value: 7 } })).toEqual(found);
    });

    test("relabelling changes keys within an object, too, where there is one", async () => {
      const store = await makeStore();
      const file = { fileId: id("file"), chunkBase: "0123456789abcdef01230201" };
      const inner = [{ page: 1, old: 2 }, "text", undefined];
      const chunks = inner.map((place, n) => {
        const metadata = { file_id: file.fileId, n, ...(place === undefined ? {} : { place }) };
        return chunkOf(n + 1, { id: under().engine.ids.ofFile(file.chunkBase, n), metadata });
      });
      const { ids } = await put(store, chunks);
      const within = { key: "place", remove: ["old"], set: { name: "x" } };
      await change(store, [{ do: "relabel", file, remove: [], set: { m: 1 }, within }], { as: "correction" });
      const found = await under().engine.read(await current(store), ids, { embeddings: false });
      const common = { file_id: file.fileId, m: 1 };
      expect(found.map(({ metadata }) => metadata)).toEqual(
        expect.arrayContaining([
          { ...common, n: 0, place: { page: 1, name: "x" } },
          { ...common, n: 1, place: "text" },
          { ...common, n: 2 },
        ]),
      );
    });

    test("a removal can leave out files, whose rows are known by name and id", async () => {
      const store = await makeStore();
      const { ids } = under().engine;
      const files = [1, 2, 3].map((n) => ({ fileId: id(`file${n}`), chunkBase: `0123456789abcdef0123010${n}` }));
      const ofFiles = files.flatMap(({ fileId, chunkBase }, n) =>
        [0, 1].map((index) =>
          chunkOf(10 * n + index, { id: ids.ofFile(chunkBase, index), metadata: { file_id: fileId } }),
        ),
      );
      const named = chunkOf(8, { id: id("named"), metadata: { file_id: files[0]?.fileId } });
      await put(store, [...ofFiles, named, chunkOf(9, { id: id("own") })]);
      const notOf = files.slice(0, 2);
      // Ids that the engine assigns itself do not show whose row it is.
      const left = ids.ofFile("0".repeat(24), 0) === null ? 5 : 4;
      const { removed } = await change(store, [{ do: "remove", which: { notOf } }]);
      expect(removed.chunks).toBe(8 - left);
      expect(await idsIn(store)).toEqual(expect.arrayContaining(ofFiles.slice(0, 4).map((each) => each.id)));
      expect(await trueCount(store)).toBe(left);
      await change(store, [{ do: "remove", which: { notOf: [] } }]);
      expect(await trueCount(store)).toBe(0);
    });

    test("positions in a document give the contents of their chunks", async () => {
      const store = await makeStore();
      await put(store, [...inFile("doc", [1, 2, 3]), ...inFile("else", [2])]);
      const places = [1, 3, 4].map((index) => ({ key: "file_id", document: "doc", index }));
      const found = await under().engine.places(await current(store), places);
      expect(found.map(({ index, content }) => [index, content]).sort()).toEqual([
        [1, "word1 shared"],
        [3, "word3 shared"],
      ]);
    });
  });
}
