import { describe, expect, test } from "@jest/globals";
import { isConnectionFailure, translateError } from "../../../src/db/connection/errors.js";
import { ApiError, errorCode, notFound } from "../../../src/words/errors.js";

const failure = (message: string, code?: string) =>
  Object.assign(new Error(message), code === undefined ? {} : { code });

describe("errors of the database as their caller sees them", () => {
  test.each([
    ["22001", 400],
    ["22003", 400],
    ["22021", 400],
    ["22P05", 400],
    ["23503", 404],
    ["23505", 409],
    ["23514", 400],
    ["25006", 503],
    ["40001", 503],
    ["40P01", 503],
    ["53100", 503],
    ["53200", 503],
    ["53300", 503],
    ["54000", 400],
    ["54001", 400],
    ["55P03", 503],
    ["57014", 503],
    ["57P01", 503],
    ["57P03", 503],
    ["57P05", 503],
    ["08006", 503],
    ["ECONNREFUSED", 503],
    ["ECONNRESET", 503],
    ["ENETUNREACH", 503],
  ])("SQLSTATE or errno %s is a %i with our own message", (code, status) => {
    const translated = translateError(failure('the server\'s words about "secret_table"', code));
    expect(translated).toBeInstanceOf(ApiError);
    expect(translated).toMatchObject({ status });
    expect((translated as ApiError).message).not.toContain("secret_table");
    if (status === 503) expect((translated as ApiError).details.retryAfterSeconds).toBeGreaterThan(0);
  });

  test.each(["42601", "42703", "42P01", "42501", "23502", "XX000"])(
    "%s is our own fault and comes back unchanged",
    (code) => {
      const error = failure("x", code);
      expect(translateError(error)).toBe(error);
    },
  );

  test("an ApiError stays as it is", () => {
    const error = notFound("vector store", "vs_1");
    expect(translateError(error)).toBe(error);
  });

  test.each([
    "Connection terminated unexpectedly",
    "timeout exceeded when trying to connect",
    "Query read timeout",
    "Client has encountered a connection error and is not queryable",
  ])("pg's own %j is a failure of the connection", (message) => {
    expect(isConnectionFailure(failure(message))).toBe(true);
    expect(translateError(failure(message))).toMatchObject({ status: 503 });
  });

  test.each([
    ["57014", "canceling statement due to statement timeout"],
    ["23505", "duplicate key value violates unique constraint"],
    ["42601", "syntax error at or near connection"],
  ])("%s leaves the connection usable", (code, message) => {
    expect(isConnectionFailure(failure(message, code))).toBe(false);
  });

  test("a server without TLS is not asked again", () => {
    expect(isConnectionFailure(failure("The server does not support SSL connections"))).toBe(false);
  });

  test("what is not an error has no code", () => {
    for (const value of [null, undefined, "ECONNRESET", 1, {}, { code: 5 }]) expect(errorCode(value)).toBeNull();
  });
});
