import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { type Place, createPlace, run, temporaryDirectory } from "./support.js";
import { type ExportAnswer, type ImportAnswer, contentOf, insertSql, runJson } from "./transferSupport.js";

// Every command opens the embedded database, which takes at least a second.
jest.setTimeout(600_000);

let place: Place;
let other: Place;
let directory: ReturnType<typeof temporaryDirectory>;
beforeAll(async () => {
  [place, other] = [await createPlace(), await createPlace()];
  directory = temporaryDirectory();
  for (const each of [place, other]) expect((await run(["migrate"], { environment: each.environment })).code).toBe(0);
});
const clear = async () => {
  for (const each of [place, other])
    await each.exec("DELETE FROM embeddings; DELETE FROM vector_stores; DELETE FROM vector_store_imports");
};
afterEach(clear);
afterAll(async () => {
  directory.remove();
  await place.remove();
  await other.remove();
});

const store = `INSERT INTO vector_stores (id, name, description, metadata, expires_after, owner_user_id, embedding_dimensions, search_settings, created_at, vectors_complete)
  VALUES ('vs_one', 'Größe "1"', 'first', '{"team": "a", "n": 12345678901234567890}', '{"anchor": "last_active_at", "days": 30}', 'user-1', 8,
          '{"mode": "hybrid", "language": "english"}', '2025-01-02 03:04:05.678901+00', true),
         ('vs_empty', '', NULL, '{}', NULL, NULL, 8, '{}', '2025-01-02 03:04:06+00', true)`;

const fresh = (() => {
  let number = 0;
  return (ending: string) => join(directory.path, `out-${(number += 1)}${ending}`);
})();

const simple = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    id: `row-${String(i).padStart(5, "0")}`,
    content: `content ${i}`,
    metadata: `{"n": ${i}, "team": "${i % 2 === 0 ? "a" : "b"}"}`,
    embedding: [i, 1, 2, 3, 4, 5, 6, 7],
    micros: 1_735_689_600_000_000 + i,
  }));

describe("an export imported elsewhere gives the same rows and stores", () => {
  test.each([
    [".ndjson", []],
    ["/", ["--format", "parquet", "--rows-per-file", "20"]],
  ])("in %s %j", async (ending, options) => {
    await place.exec(store);
    // Doubles that are one, but two numbers.
    const exact = (n: number) => `{"n": ${9007199254740992n + BigInt(n)}, "deep": [{"d": 0.1000000000000000000${n}}]}`;
    const rows = simple(60).map((row, n) => ({ ...row, metadata: exact(n) }));
    await place.exec(insertSql("vs_one", rows));
    const output = fresh(ending);
    const exported = await runJson<ExportAnswer>(place, ["export", "--all", "--output", output, ...options]);
    expect(exported).toMatchObject({ rows: 60, stores: 2 });
    const imported = await runJson<ImportAnswer>(other, ["import", output]);
    expect(imported).toMatchObject({ finished: true, verified: true, rows: { read: 60, added: 60 } });
    expect(imported.checksums).toEqual({ read: exported.checksum, stored: exported.checksum });
    const moved = await contentOf(other);
    expect(moved).toEqual(await contentOf(place));
    for (const text of ['"n": 9007199254740993,', '"d": 0.10000000000000000001', '"n": 12345678901234567890'])
      expect(JSON.stringify(moved)).toContain(JSON.stringify(text).slice(1, -1));
  });
});

const linesOf = (text: string) =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe("export", () => {
  test("to standard output, with a filter, without vectors or stores", async () => {
    await place.exec(store);
    await place.exec(insertSql("vs_one", simple(10)));
    const environment = place.environment;
    const { code, out, err } = await run(
      ["export", "vs_one", "--output", "-", "--vectors", "none", "--rows-only", "--filter", '{"team": "b"}'],
      { environment },
    );
    expect(code).toBe(0);
    expect(err).toMatch(/^Exported 5 rows of 1 store in /);
    expect(linesOf(out)).toEqual(
      [1, 3, 5, 7, 9].map((n) => ({
        id: `row-0000${n}`,
        vector_store_id: "vs_one",
        content: `content ${n}`,
        metadata: { n, team: "b" },
        created_at: 1_735_689_600 + n / 1e6,
      })),
    );
    const whole = linesOf((await run(["export", "vs_one", "--output", "-"], { environment })).out);
    expect(whole[0]).toMatchObject({
      object: "vector_store",
      id: "vs_one",
      name: 'Größe "1"',
      embedding_dimensions: 8,
    });
    expect(whole[1]?.embedding).toBe(Buffer.from(Float32Array.of(0, 1, 2, 3, 4, 5, 6, 7).buffer).toString("base64"));
  });

  test("leaves out the chunks of files that are being ingested", async () => {
    await place.exec(store);
    await place.exec(insertSql("vs_one", simple(10)));
    await place.exec(`UPDATE embeddings SET metadata = '{"file_id": "file-1"}' WHERE id < 'row-00004';
      UPDATE vector_stores SET hidden_files = '{file-1}' WHERE id = 'vs_one'`);
    const output = fresh(".ndjson");
    expect(await runJson<ExportAnswer>(place, ["export", "vs_one", "--output", output])).toMatchObject({ rows: 6 });
    expect(
      linesOf(readFileSync(output, "utf8"))
        .slice(1)
        .map((row) => row.id),
    ).toEqual(
      simple(10)
        .slice(4)
        .map((row) => row.id),
    );
  });

  test("to a directory writes a manifest of its files", async () => {
    await place.exec(store);
    await place.exec(insertSql("vs_one", simple(120)));
    const output = fresh("");
    const answer = await runJson<ExportAnswer>(place, [
      "export",
      "--all",
      "--output",
      output,
      "--format",
      "ndjson.gz",
      "--rows-per-file",
      "50",
    ]);
    const manifest = JSON.parse(readFileSync(join(output, "manifest.json"), "utf8")) as {
      files: { name: string; rows: number }[];
      stores: { id: string }[];
      finished: boolean;
      rows: number;
      checksum: string;
    };
    expect(manifest).toMatchObject({
      object: "vector_store.export",
      format: "ndjson.gz",
      finished: true,
      rows: 120,
      checksum: answer.checksum,
    });
    expect(manifest.stores.map((each) => each.id)).toEqual(["vs_one", "vs_empty"]);
    expect(readdirSync(output).sort()).toEqual(["manifest.json", ...manifest.files.map((file) => file.name)].sort());
    for (const { name, rows } of manifest.files) {
      const lines = linesOf(gunzipSync(readFileSync(join(output, name))).toString());
      expect(lines.filter((line) => line.object === undefined)).toHaveLength(rows);
      // Each file can be imported alone.
      for (const line of lines.filter((each) => each.object === undefined))
        expect(lines[0]).toMatchObject({ object: "vector_store", id: line.vector_store_id });
    }
    const { code, err } = await run(["export", "--all", "--output", output], { environment: place.environment });
    expect({ code, err }).toEqual({
      code: 1,
      err: expect.stringMatching(/already has a finished export.*--overwrite/),
    });
  });

  test.each([
    [["export", "--output", "x.ndjson"], /^vector-store: Which vector stores\? Give their ids, or --all/],
    [["export", "vs_one", "--all", "--output", "x.ndjson"], /Give either ids or --all/],
    [["export", "vs_none", "--output", "x.ndjson"], /No vector store found with id 'vs_none'/],
    [["export", "vs_one", "--output", "x.xlsx"], /--output: is x\.xlsx a file or a directory\? Add --format/],
    [["export", "vs_one", "--output", "-", "--format", "parquet"], /Only NDJSON goes to standard output/],
    [["export", "vs_one", "--output", "/no/such/place/x.ndjson"], /x\.ndjson: cannot be written \(ENOENT\)/],
    [
      ["export", "vs_one", "--output", "x.ndjson", "--filter", '{"type": "eq", "key": "a"}'],
      /--filter.value: is required/,
    ],
  ])("%j is refused", async (args, message) => {
    await place.exec(store);
    const { code, err } = await run(args, { environment: place.environment });
    expect(code).toBe(1);
    expect(err).toMatch(message);
  });

  test("does not overwrite a file without --overwrite", async () => {
    await place.exec(store);
    const output = fresh(".ndjson");
    writeFileSync(output, "mine");
    const { code, err } = await run(["export", "vs_one", "--output", output], { environment: place.environment });
    expect(code).toBe(1);
    expect(err).toMatch(/already exists\. Name another file, or add --overwrite/);
    expect(readFileSync(output, "utf8")).toBe("mine");
    await runJson(place, ["export", "vs_one", "--output", output, "--overwrite"]);
    expect(linesOf(readFileSync(output, "utf8"))).toHaveLength(1);
  });
});
