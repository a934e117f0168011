import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Place, createPlace, run, temporaryDirectory } from "./support.js";
import { type ImportAnswer, runJson } from "./transferSupport.js";

// Every command opens the embedded database, which takes at least a second.
jest.setTimeout(600_000);

let place: Place;
let directory: ReturnType<typeof temporaryDirectory>;
beforeAll(async () => {
  place = await createPlace();
  directory = temporaryDirectory();
  await run(["migrate"], { environment: place.environment });
});
afterEach(() => place.exec("DELETE FROM embeddings; DELETE FROM vector_stores; DELETE FROM vector_store_imports"));
afterAll(async () => {
  directory.remove();
  await place.remove();
});

const file = (name: string, content: string) => {
  const path = join(directory.path, name);
  writeFileSync(path, content);
  return path;
};
const line = (n: number, more: object = {}) =>
  JSON.stringify({ id: `r${n}`, content: `text ${n}`, embedding: [n, 1, 0, 0, 0, 0, 0, 0], metadata: { n }, ...more });
const importing = (...args: string[]) => run(["import", ...args], { environment: place.environment });
const count = async () => (await place.query("SELECT count(*)::int AS n FROM embeddings"))[0]?.n;

describe("import of files", () => {
  test("reports what it did, with counts and checksums that agree", async () => {
    const path = file("rows.ndjson", [0, 1, 2].map((n) => line(n)).join("\n"));
    const { code, out, err } = await importing(path, "--store-name", "Docs");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const [first, added, read, stored, store] = out.split("\n");
    expect(first).toMatch(/^Imported rows\.ndjson: 3 rows, in \d+ s \([\d,]+ rows\/s\)\.$/);
    expect(added).toBe("  3 added");
    const checksum = /^read {4}3 rows, checksum ([0-9a-f]{16})$/.exec(read ?? "")?.[1] ?? "";
    expect(stored).toBe(`stored  3 rows, checksum ${checksum}; each was read back from the database and compared`);
    expect(store).toMatch(/^vs_[0-9a-f]{32}\tDocs\t8\tbuilt-in-hashing\tmade$/);
    expect(await count()).toBe(3);

    const again = await importing(path, "--store-name", "Docs");
    expect(again.out).toContain("  3 already there, the same\n");
    expect(again.out).toContain("This import had finished before; this run looked for what has been added since.\n");
    expect(again.out).toContain(`checksum ${checksum}; each was read back`);
    expect(await place.query("SELECT count(*)::int AS n FROM vector_stores")).toEqual([{ n: 1 }]);
  });

  test("files of several formats, and standard input, into one store", async () => {
    await place.exec(
      "INSERT INTO vector_stores (id, name, embedding_dimensions, vectors_complete) VALUES ('vs_1', 'one', 8, true)",
    );
    const csv = file("more.csv", 'id,content,embedding,lang\nc1,"a, b","[1,2,3,4,5,6,7,8]",de\n');
    const parquet = join(directory.path, "p.parquet");
    copyFileSync("test/rows/fixtures/pandas.parquet", parquet);
    const answer = await runJson<ImportAnswer>(place, ["import", csv, parquet, "--store", "vs_1"]);
    expect(answer).toMatchObject({
      finished: true,
      rows: { read: 41, added: 41 },
      stores: [{ id: "vs_1", made: false }],
    });
    const streamed = await runJson<ImportAnswer>(place, ["import", "-", "--store", "vs_1"], `${line(1)}\n${line(2)}\n`);
    expect(streamed.rows).toMatchObject({ read: 2, added: 2 });
    const again = await runJson<ImportAnswer>(
      place,
      ["import", "-", "--store", "vs_1"],
      `${line(1)}\n${line(2)}\n${line(3)}\n`,
    );
    expect(again.rows).toMatchObject({ read: 3, added: 1, duplicates: 2 });
    expect(await place.query("SELECT metadata FROM embeddings WHERE id = 'row-0'")).toEqual([
      { metadata: expect.objectContaining({ n: 0, tag: "x" }) },
    ]);
    expect(await place.query("SELECT chunk_count::int AS n FROM vector_stores")).toEqual([{ n: await count() }]);
  });

  test("columns named by flags, and rows that name their store", async () => {
    const csv = file("mapped.csv", 'key,body,vec,topic,collection\na,text,"[1,2,3,4,5,6,7,8]",shipping,FAQ\n');
    const answer = await runJson<ImportAnswer>(place, [
      "import",
      csv,
      ...["--id-column", "key", "--content-column", "body", "--embedding-column", "vec"],
      ...["--metadata-columns", "topic", "--store-column", "collection", "--id-prefix", "x-"],
    ]);
    expect(answer.stores).toMatchObject([{ name: "FAQ", made: true }]);
    expect(await place.query("SELECT id, content, metadata FROM embeddings")).toEqual([
      { id: "x-a", content: "text", metadata: { topic: "shipping" } },
    ]);
  });

  test("--dry-run reads everything, reports what would be done and changes nothing", async () => {
    const path = file("dry.ndjson", `${line(1)}\n${line(2, { embedding: null })}\n`);
    const { code, out } = await importing(path, "--store-name", "Docs", "--dry-run");
    expect(code).toBe(0);
    expect(out).toMatch(/^Looked through dry\.ndjson: 2 rows/);
    expect(out).toContain("  1 would be added\n");
    expect(out).toContain("  1 without an embedding, would be embedded here\n");
    expect(out).toMatch(/\tDocs\t8\tbuilt-in-hashing\twould be made\n$/);
    expect(
      await place.query(
        "SELECT (SELECT count(*) FROM vector_stores)::int + (SELECT count(*) FROM vector_store_imports)::int AS n",
      ),
    ).toEqual([{ n: 0 }]);
  });

  test("--dry-run does not prepare a database", async () => {
    const unprepared = await createPlace();
    try {
      const { code, err } = await run(["import", file("a.ndjson", line(1)), "--store-name", "x", "--dry-run"], {
        environment: unprepared.environment,
      });
      expect(code).toBe(1);
      expect(err).toMatch(/and --dry-run changes nothing\. Prepare it first: vector-store migrate/);
      expect(await unprepared.query("SELECT to_regclass('vector_stores')::text AS t")).toEqual([{ t: null }]);
    } finally {
      await unprepared.remove();
    }
  });

  test("--embed embeds rows without an embedding", async () => {
    const path = file("embed.ndjson", `${line(1, { embedding: null })}\n${line(2)}\n`);
    const refused = await importing(path, "--store-name", "Docs");
    expect(refused.err).toMatch(/^vector-store: line 1 of embed\.ndjson: it has no embedding\. With --embed/);
    expect(
      (await runJson<ImportAnswer>(place, ["import", path, "--store-name", "Docs", "--embed"])).rows,
    ).toMatchObject({ added: 2, embedded: 1 });
  });

  test("a progress bar on a terminal", async () => {
    const path = file("bar.ndjson", [1, 2].map((n) => line(n)).join("\n"));
    const { err, out } = await run(["import", path, "--store-name", "Docs"], {
      environment: place.environment,
      columns: 100,
    });
    expect(err).toMatch(/\[#{24}\] 100 %, 2 rows, 1\d\d B of 1\d\d B, [\d,]+ rows\/s, 0 s left/);
    expect(out).toContain("STORE");
  });

  test.each([
    [[], /^vector-store: Where do the rows come from\? Name files, or a database with --from/],
    [["FILE", "--from", "postgresql://x/y"], /Give either files or --from/],
    [["FILE", "--store", "a", "--store-name", "b"], /Give either --store or --store-name/],
    [["FILE"], /--store: the rows do not say which vector store they belong to/],
    [["FILE", "--store", "vs_none"], /No vector store found with id 'vs_none'/],
    [["FILE", "--store-name", "x", "--content-column", "body"], /line 1 of bad\.ndjson: has no "body", the row's text/],
    [["--from", "env:NO_SUCH", "--store-name", "x"], /--from: there is no variable NO_SUCH in the environment/],
    [["--from", "http://x", "--store-name", "x"], /--from must start with postgresql:\/\//],
    [
      ["--from", "postgresql://postgres:hunter2@127.0.0.1:1/x"],
      /The source cannot be opened \(--from\): .*ECONNREFUSED/,
    ],
    [["FILE", "--on-conflict", "replace"], /Allowed choices are error, skip/],
    [["absent.ndjson", "--store-name", "x"], /absent\.ndjson: there is no such file/],
  ])("%j is refused with one sentence, and nothing is written", async (args, message) => {
    const path = file("bad.ndjson", line(1));
    const { code, err, out } = await importing(...args.map((arg) => (arg === "FILE" ? path : arg)));
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toMatch(message);
    expect(err).not.toContain("hunter2");
    expect(await count()).toBe(0);
  });

  test("a broken line is named, the rows before it are kept, and once it is corrected the import continues", async () => {
    const broken = [...Array.from({ length: 1500 }, (_, n) => line(n)), '{"id": "x", ', line(1501)].join("\n");
    const path = file("broken.ndjson", broken);
    const { code, err } = await importing(path, "--store-name", "Docs");
    expect(code).toBe(1);
    expect(err).toMatch(/^vector-store: line 1501 of broken\.ndjson: is not a JSON object: ends too early/);
    expect(await count()).toBe(1000);
    file("broken.ndjson", broken.replace('{"id": "x", ', line(1500)));
    const answer = await runJson<ImportAnswer>(place, ["import", path, "--store-name", "Docs"]);
    expect(answer).toMatchObject({ finished: true, rows: { read: 1502, added: 502, duplicates: 1000 } });
    expect(answer.stores).toMatchObject([{ name: "Docs", made: false }]);
  });
});
