import { afterAll, afterEach, describe, expect, test } from "@jest/globals";
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { lockDataDir } from "../../../src/db/connection/dataDirLock.js";
import { StartupError } from "../../../src/words/errors.js";

const root = mkdtempSync(join(tmpdir(), "vs-lock-"));
let count = 0;
const freshDirectory = () => join(root, String((count += 1)));
const children = new Set<ChildProcessWithoutNullStreams>();

afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  children.clear();
});
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

/** Another process that tries to take the directory. */
async function contender(directory: string): Promise<{ child: ChildProcessWithoutNullStreams; outcome: string }> {
  const child = spawn(process.execPath, ["--import", "tsx", "test/db/connection/lockHolder.ts", directory]);
  children.add(child);
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  return { child, outcome: line.toString().trim() };
}

async function killHard(child: ChildProcessWithoutNullStreams): Promise<void> {
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}

/** What is left of processes that took the directory and were killed. */
async function leaveDeadLocks(directory: string, many: number): Promise<void> {
  for (let i = 0; i < many; i += 1) {
    const { child, outcome } = await contender(directory);
    expect(outcome).toBe("taken");
    await killHard(child);
  }
}

const refusal =
  /^The data directory .* is in use by another vector-store process\. Stop that one, or give this one another DATA_DIR/;

describe("the lock of a data directory", () => {
  test("the directory is created if it is absent", async () => {
    const release = await lockDataDir(join(freshDirectory(), "a", "b"));
    await release();
  });

  test("a second taker is refused with a message, in this process and in another", async () => {
    const directory = freshDirectory();
    const release = await lockDataDir(directory);
    await expect(lockDataDir(directory)).rejects.toThrow(StartupError);
    await expect(lockDataDir(directory)).rejects.toThrow(refusal);
    expect((await contender(directory)).outcome).toMatch(/^refused The data directory .* is in use/);
    await release();
  });

  test("a refused taker does not disturb the lock, also after many tries", async () => {
    const directory = freshDirectory();
    const release = await lockDataDir(directory);
    for (let i = 0; i < 20; i += 1) await expect(lockDataDir(directory)).rejects.toThrow(refusal);
    await release();
    await (
      await lockDataDir(directory)
    )();
  });

  test("it is free again once released, and leaves nothing in the directory", async () => {
    const directory = freshDirectory();
    for (let i = 0; i < 3; i += 1) {
      const release = await lockDataDir(directory);
      await release();
    }
    expect(readdirSync(directory)).toEqual([]);
  });

  test("another path to the same directory finds it locked", async () => {
    const directory = freshDirectory();
    const release = await lockDataDir(directory);
    symlinkSync(directory, `${directory}-link`);
    await expect(lockDataDir(`${directory}-link`)).rejects.toThrow(refusal);
    await expect(lockDataDir(`${directory}/../${basename(directory)}`)).rejects.toThrow(refusal);
    await release();
  });

  test("different directories do not affect each other", async () => {
    const releases = await Promise.all([lockDataDir(freshDirectory()), lockDataDir(freshDirectory())]);
    for (const release of releases) await release();
  });

  test("an owner killed with -9 loses it, and leaves nothing behind", async () => {
    const directory = freshDirectory();
    const { child, outcome } = await contender(directory);
    expect(outcome).toBe("taken");
    await expect(lockDataDir(directory)).rejects.toThrow(refusal);
    await killHard(child);
    const release = await lockDataDir(directory);
    await expect(lockDataDir(directory)).rejects.toThrow(refusal);
    await release();
    expect(readdirSync(directory)).toEqual([]);
  });

  test("an owner that is too busy to answer is still the owner", async () => {
    const directory = freshDirectory();
    const { child } = await contender(directory);
    child.kill("SIGSTOP");
    await expect(lockDataDir(directory)).rejects.toThrow(refusal);
  });

  test.each([0, 1, 3])("of 25 takers at once exactly one wins, over the remains of %i dead owners", async (dead) => {
    const directory = freshDirectory();
    await leaveDeadLocks(directory, dead);
    for (let round = 0; round < 10; round += 1) {
      const outcomes = await Promise.allSettled(Array.from({ length: 25 }, () => lockDataDir(directory)));
      const won = outcomes.filter((each) => each.status === "fulfilled");
      const lost = outcomes.filter((each) => each.status === "rejected");
      expect(won).toHaveLength(1);
      for (const { reason } of lost) expect((reason as Error).message).toMatch(refusal);
      for (const { value: release } of won) await release();
    }
  });

  test("of eight processes at once exactly one wins, also over a dead owner's remains", async () => {
    const directory = freshDirectory();
    await leaveDeadLocks(directory, 1);
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => contender(directory)));
    expect(outcomes.filter(({ outcome }) => outcome === "taken")).toHaveLength(1);
    expect(outcomes.filter(({ outcome }) => outcome.includes("is in use by another"))).toHaveLength(7);
  });

  test("a directory too deep for the path of a socket is locked too", async () => {
    const directory = join(freshDirectory(), "d".repeat(100), "e".repeat(100), "f".repeat(100));
    const release = await lockDataDir(directory);
    await expect(lockDataDir(directory)).rejects.toThrow(refusal);
    expect((await contender(directory)).outcome).toMatch(/is in use by another/);
    const neighbour = await lockDataDir(join(directory, "g"));
    await neighbour();
    await release();
    const { child, outcome } = await contender(directory);
    expect(outcome).toBe("taken");
    await killHard(child);
    await (
      await lockDataDir(directory)
    )();
  });

  test("a directory that cannot be created is refused with a message that names DATA_DIR", async () => {
    const file = join(root, "file");
    writeFileSync(file, "");
    await expect(lockDataDir(join(file, "data"))).rejects.toThrow(StartupError);
    await expect(lockDataDir(join(file, "data"))).rejects.toThrow(/cannot be used \(ENOTDIR\)\. Set DATA_DIR/);
  });
});
