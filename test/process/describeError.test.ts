import { describe, expect, test } from "@jest/globals";
import { describeError } from "../../src/process/describeError.js";
import { plainLine } from "../../src/process/log.js";
import { unavailable } from "../../src/words/errors.js";

const databaseError = (code: string, message: string) =>
  Object.assign(new Error(message), {
    code,
    severity: "ERROR",
    detail: "Key (id)=(hunter2) exists.",
    where: "hunter2",
  });

describe("an error in the log", () => {
  test.each([
    ["22P02", 'invalid input syntax for type json: "hunter2 "quoted" text"', 'invalid input syntax for type json: "…"'],
    ["22P02", 'malformed vector literal: "[1,hunter2\nx"', 'malformed vector literal: "…"'],
    ["22003", 'value "99hunter2" is out of range for type integer', 'value "…" is out of range for type integer'],
    ["22P02", "ungültige Eingabe für Typ json: »hunter2«", 'ungültige Eingabe für Typ json: "…"'],
    ["42601", 'syntax error in tsquery: "hunter2 & |"', 'syntax error in tsquery: "…"'],
    ["XX000", 'could not read "hunter2"', 'could not read "…"'],
    ["P0001", "row hunter2 is refused by our rule", "an error raised in the database"],
  ])("%s %s: shows nothing of a row", (code, message, shown) => {
    const described = describeError(databaseError(code, message));
    expect(described).toMatchObject({ code, message: shown, stack: expect.stringContaining("\n    at ") });
    expect(JSON.stringify(described)).not.toContain("hunter2");
    const cause = describeError(unavailable("The database is away.", { cause: databaseError(code, message) }));
    expect(JSON.stringify(cause)).not.toContain("hunter2");
  });

  test.each([
    ["42P01", 'relation "embeddings" does not exist'],
    ["23505", 'duplicate key value violates unique constraint "embeddings_pkey"'],
    ["53100", 'could not extend file "base/1/2": No space left on device'],
    ["28P01", 'password authentication failed for user "app"'],
  ])("%s names objects of the database, which help", (code, message) => {
    expect(describeError(databaseError(code, message))).toMatchObject({ message });
  });

  test("other errors keep their words", () => {
    const error = Object.assign(new Error('cannot read "x.pdf"'), { code: "ENOENT" });
    expect(describeError(error)).toMatchObject({ message: 'cannot read "x.pdf"', code: "ENOENT", stack: error.stack });
  });
});

describe("a log line on a terminal", () => {
  const line = (fields: object) =>
    plainLine(`${JSON.stringify({ level: 30, time: "2026-01-02T03:04:05.678Z", ...fields, msg: "listening" })}\n`);

  test("is a plain sentence with its fields", () => {
    expect(line({ port: 8000, database: "pglite" })).toMatch(
      /^\d\d:\d\d:05 info {2}listening {2}port=8000 {2}database=pglite\n$/,
    );
  });

  test("shows an error's stack, and no control character", () => {
    const shown = line({ reason: "a\u001b[31m", err: { message: "m", stack: "Error: m\u0007\n    at x" } });
    expect(shown).toContain("\nError: m");
    // eslint-disable-next-line no-control-regex
    expect(shown).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
  });
});
