import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Writable } from "node:stream";
import { DamagedBytes, createStorage } from "../../src/storage/storage.js";
import { type TestStorages, inParts, megabyte, openStorages, patternOf, readAll } from "./support.js";

let storages: TestStorages;
beforeAll(async () => {
  storages = await openStorages();
});
afterAll(() => storages.close());

describe("slices in the database", () => {
  test("are a megabyte each but the last, written before the next bytes are taken", async () => {
    const counts: number[] = [];
    const taken = async function* () {
      for (let i = 0; i < 4; i += 1) {
        const { slices } = await storages.everything();
        counts.push(slices.length);
        yield patternOf(0.75 * megabyte);
      }
    };
    const { content } = await storages.inDatabase.write(taken());
    expect(counts).toEqual([0, 0, 1, 2]);
    const { slices } = await storages.everything();
    expect(slices.map(({ number, bytes }) => [number, bytes])).toEqual([
      [0, megabyte],
      [1, megabyte],
      [2, megabyte],
    ]);
    await storages.inDatabase.remove({ content, inDirectory: false });
  });

  test("do not pass for the whole when some are missing", async () => {
    const kept = await storages.inDatabase.write(inParts(patternOf(3 * megabyte), [megabyte]));
    for (const [number, there] of [
      [1, 1],
      [0, 0],
    ]) {
      await storages.database.exec(`DELETE FROM vector_store_file_slices WHERE number >= ${number}`);
      await expect(readAll(storages.inDatabase.read(kept))).rejects.toThrow(
        new DamagedBytes(`${(there ?? 0) * megabyte} of ${3 * megabyte} bytes are there`),
      );
    }
  });

  test("that no file refers to are swept once they are old", async () => {
    const begun = Date.now();
    const old = createStorage(storages.db, null, () => begun - 1000);
    await old.write(inParts(patternOf(megabyte + 1), [megabyte]));
    await storages.inDatabase.write(inParts(patternOf(1), [1]));
    expect(await storages.inDatabase.sweep(begun - 500)).toBe(1);
    expect((await storages.everything()).slices).toHaveLength(1);
    expect(await storages.inDatabase.sweep(Date.now() + 1000)).toBe(1);
    expect((await storages.everything()).slices).toEqual([]);
  });

  test("a database that fails in the middle ends the write with its error", async () => {
    const failing = async function* () {
      yield patternOf(megabyte);
      await storages.database.exec("ALTER TABLE vector_store_file_slices RENAME TO hidden_slices");
      yield patternOf(megabyte);
    };
    try {
      await expect(storages.inDatabase.write(failing())).rejects.toThrow(/vector_store_file_slices/);
    } finally {
      await storages.database.exec("ALTER TABLE hidden_slices RENAME TO vector_store_file_slices");
    }
    // It could not be removed then; the sweep does.
    expect((await storages.everything()).slices).toHaveLength(1);
    expect(await storages.inDatabase.sweep(Date.now() + 1000)).toBe(1);
  });
});

describe("files in a directory", () => {
  const pathOf = (content: string) => join(storages.directory, content.slice(0, 2), content);

  test("are for the server's user alone, in folders by two characters", async () => {
    const { content } = await storages.inDirectory.write(inParts(patternOf(10), [10]));
    expect((await storages.everything()).files).toEqual([join(content.slice(0, 2), content)]);
    expect(statSync(pathOf(content)).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(pathOf(content))).mode & 0o777).toBe(0o700);
    await storages.inDirectory.remove({ content, inDirectory: true });
  });

  test("have another name until they are complete", async () => {
    let seen: string[] = [];
    const watched = async function* () {
      yield patternOf(megabyte);
      // The first bytes have been written when the second are asked for and the file is there.
      do seen = (await storages.everything()).files;
      while (seen.length === 0);
      yield patternOf(1);
    };
    const { content } = await storages.inDirectory.write(watched());
    expect(seen).toEqual([`${join(content.slice(0, 2), content)}.part`]);
    await storages.inDirectory.remove({ content, inDirectory: true });
    expect((await storages.everything()).files).toEqual([]);
  });

  test("that no file refers to are swept once they are old, also what a dead process has left half written", async () => {
    const begun = Date.now();
    const old = createStorage(storages.db, storages.directory, () => begun - 1000);
    const [kept, left] = [await old.write(inParts(patternOf(10), [10])), await old.write(inParts(patternOf(10), [10]))];
    const young = await storages.inDirectory.write(inParts(patternOf(10), [10]));
    await storages.database.exec(`
      INSERT INTO vector_store_file_objects (id, filename, purpose, bytes, content_hash, content, in_directory, created_at)
      VALUES ('file-kept', 'a.txt', 'assistants', 10, '', '${kept.content}', true, now())`);
    // As a process leaves it that dies while it writes.
    renameSync(pathOf(left.content), `${pathOf(left.content)}.part`);
    // Not ours: another installation's.
    const foreign = `${pathOf("00000000-0000-4000-8000-000000000000")}.part`;
    mkdirSync(dirname(foreign), { recursive: true });
    writeFileSync(foreign, "foreign");
    expect(await storages.inDirectory.sweep(begun - 500)).toBe(1);
    expect([pathOf(kept.content), foreign, pathOf(young.content)].map((path) => existsSync(path))).toEqual([
      true,
      true,
      true,
    ]);
    expect(existsSync(`${pathOf(left.content)}.part`)).toBe(false);
    rmSync(foreign);
    await storages.database.exec("DELETE FROM vector_store_file_objects");
    // A process without FILES_DIR cannot remove them, so they stay on record.
    expect(await storages.inDatabase.sweep(Date.now() + 1000)).toBe(0);
    expect(await storages.inDirectory.sweep(Date.now() + 1000)).toBe(2);
    expect(await storages.everything()).toEqual({ slices: [], files: [] });
  });

  test("a file that is gone fails when it is read", async () => {
    const content = await storages.inDirectory.write(inParts(patternOf(10), [10]));
    rmSync(pathOf(content.content));
    await expect(readAll(storages.inDirectory.read(content))).rejects.toThrow(
      new DamagedBytes("they are missing in FILES_DIR"),
    );
    await storages.inDirectory.remove(content);
  });

  test("a file that was cut off or changed does not pass for the whole", async () => {
    const bytes = patternOf(2 * megabyte);
    const kept = await storages.inDirectory.write(inParts(bytes, [megabyte]));
    const read = () => readAll(storages.inDirectory.read(kept));
    const damages: [Buffer, RegExp][] = [
      [bytes.subarray(0, megabyte), /^1048576 of 2097152 bytes are there$/],
      [Buffer.alloc(0), /^0 of 2097152 bytes/],
      [Buffer.concat([bytes, Buffer.from("x")]), /more than the 2097152 bytes/],
      [Buffer.concat([bytes.subarray(1), Buffer.from("x")]), /another SHA-256/],
    ];
    for (const [damaged, message] of damages) {
      writeFileSync(pathOf(kept.content), damaged);
      const failure = await read().catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(DamagedBytes);
      expect((failure as Error).message).toMatch(message);
    }
    writeFileSync(pathOf(kept.content), bytes);
    expect((await read()).equals(bytes)).toBe(true);
    await storages.inDirectory.remove(kept);
  });

  test.each([1, 16_384, megabyte, megabyte + 1, 3 * megabyte])("no whole of %i changed bytes is read", async (size) => {
    const bytes = patternOf(size);
    const inDirectory = await storages.inDirectory.write(inParts(bytes, [megabyte]));
    const inDatabase = await storages.inDatabase.write(inParts(bytes, [megabyte]));
    // The last byte of all and the first: as many bytes as before.
    for (const at of [size - 1, 0]) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      writeFileSync(pathOf(inDirectory.content), changed);
      await storages.database.exec(
        `UPDATE vector_store_file_slices SET bytes = set_byte(bytes, ${at % megabyte}, ${changed[at] ?? 0})
         WHERE content = '${inDatabase.content}' AND number = ${Math.floor(at / megabyte)}`,
      );
      for (const kept of [inDirectory, inDatabase]) {
        let given = 0;
        const read = async () => {
          for await (const slice of storages.inDirectory.read(kept)) given += slice.length;
        };
        await expect(read()).rejects.toThrow(/have another SHA-256/);
        expect(given).toBe(Math.max(0, Math.ceil(size / megabyte) - 1) * megabyte);
      }
    }
    await storages.inDirectory.remove(inDirectory);
    await storages.inDirectory.remove(inDatabase);
  });

  test("a directory that is a file fails, and takes no bytes", async () => {
    const path = join(storages.directory, "no-directory");
    writeFileSync(path, "");
    const broken = createStorage(storages.db, path, Date.now);
    await expect(broken.write(inParts(patternOf(10), [10]))).rejects.toMatchObject({
      status: 503,
      message: "The directory of uploaded files (FILES_DIR) is not a directory (ENOTDIR).",
    });
    rmSync(path);
    // Nothing was begun in it, so nothing is on record.
    expect(await storages.everything()).toEqual({ slices: [], files: [] });
  });

  // The superuser may write anywhere.
  (process.getuid?.() === 0 ? test.skip : test)("a directory without permission fails", async () => {
    chmodSync(storages.directory, 0o500);
    try {
      await expect(storages.inDirectory.write(inParts(patternOf(10), [10]))).rejects.toMatchObject({
        status: 503,
        message: "The directory of uploaded files (FILES_DIR) is not accessible to this process (EACCES).",
      });
    } finally {
      chmodSync(storages.directory, 0o700);
    }
    expect(existsSync(storages.directory)).toBe(true);
  });
});

describe.each([
  ["ENOSPC", "has no disk space left"],
  ["EDQUOT", "has used up its disk quota"],
  ["EROFS", "accepts no writes at the moment (it is read-only)"],
])("a directory that fails with %s", (code, problem) => {
  const failure = () => Object.assign(new Error("it cannot be written"), { code });
  const refused = {
    status: 503,
    message: `The directory of uploaded files (FILES_DIR) ${problem}.`,
    details: { code: "service_unavailable", retryAfterSeconds: 60 },
  };

  test("in the middle of a file says so, and keeps nothing of it", async () => {
    const before = await storages.everything();
    let room = 2;
    const storage = createStorage(storages.db, storages.directory, Date.now, {
      makeFolder: () => Promise.resolve(),
      open: () =>
        new Writable({
          write: (_chunk, _encoding, done) => {
            done((room -= 1) < 0 ? failure() : null);
          },
        }),
    });
    await expect(storage.write(inParts(patternOf(megabyte), [1000]))).rejects.toMatchObject(refused);
    expect(await storages.everything()).toEqual(before);
  });

  test("before the first byte says so", async () => {
    const storage = createStorage(storages.db, storages.directory, Date.now, {
      makeFolder: () => Promise.reject(failure()),
      open: () => new Writable(),
    });
    await expect(storage.write(inParts(patternOf(10), [10]))).rejects.toMatchObject(refused);
  });
});
