import { describe, expect, test } from "@jest/globals";
import { readFileSync, readdirSync } from "node:fs";
import { join, relative, resolve } from "node:path";

const src = resolve("src");

/** Rooms that every other one may use: nouns, bytes and numbers, and what a process is made of. */
const open = ["words", "numbers", "process"];

/** What each room of src/ may import beside these. */
const rooms: Record<string, readonly string[]> = {
  words: [],
  numbers: ["words"],
  process: ["words"],
  http: ["core"],
  core: ["engines", "db", "litellm", "storage", "reading", "chunking"],
  // The pgvector engine lives in the database and runs on its connection; no other engine may know it.
  engines: ["db"],
  db: [],
  storage: ["db"],
  // Documents are read in threads of their own, which know nothing of the rest.
  reading: ["formats", "chunking"],
  formats: [],
  // Files of rows, for what moves them.
  rows: [],
  chunking: [],
  litellm: [],
  jobs: ["core"],
  // The command line speaks HTTP to a server; only serving, migrating, diagnosing and moving rows open the database.
  cli: ["core", "db", "litellm", "rows", "main.ts"],
  "main.ts": ["http", "core", "db", "litellm", "jobs", "storage", "reading"],
};

const files = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
const roomOf = (file: string) => file.split("/")[0] ?? file;

function importsOf(file: string): string[] {
  const text = readFileSync(join(src, file), "utf8");
  return [...text.matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g)].map(([, path = ""]) =>
    relative(src, resolve(src, file, "..", path)).replace(/\.js$/, ".ts"),
  );
}

describe("the rooms of src", () => {
  test("every file is in a known room", () => {
    expect(files.filter((file) => !(roomOf(file) in rooms))).toEqual([]);
  });

  test.each(files)("%s imports only what its room may", (file) => {
    const own = roomOf(file);
    const shared = open.includes(own) ? [] : open;
    const allowed = [own, ...shared, ...(rooms[own] ?? [])];
    expect(importsOf(file).filter((target) => !allowed.includes(roomOf(target)))).toEqual([]);
  });

  test("Express is known in http alone, SQL in db and engines alone", () => {
    const using = (pattern: RegExp) => files.filter((file) => pattern.test(readFileSync(join(src, file), "utf8")));
    expect(using(/from "express"/).filter((file) => roomOf(file) !== "http")).toEqual([]);
    expect(using(/from "(kysely|pg)"/).filter((file) => !["db", "engines"].includes(roomOf(file)))).toEqual([]);
  });

  test("the environment is read in process/config.ts alone", () => {
    const using = files.filter((file) => readFileSync(join(src, file), "utf8").includes("process.env"));
    expect(using).toEqual(["process/config.ts"]);
  });
});
