import { describe, expect, test } from "@jest/globals";
import { translateError } from "../../../src/db/connection/errors.js";
import { EngineError, type FailureKind } from "../../../src/engines/engine.js";
import { bounded } from "../../../src/engines/pgvector/failures.js";
import { StoreChanged } from "../../../src/engines/pgvector/storeChanged.js";
import { ApiError } from "../../../src/words/errors.js";

/** What a call of the engine rejects with if the database's driver fails like this. */
const failureOf = (error: Error): Promise<unknown> =>
  bounded(undefined, () => Promise.reject(translateError(error) as Error)).catch((failure: unknown) => failure);

const withCode = (code: string, message = "as the driver says it") => Object.assign(new Error(message), { code });

/** SQLSTATEs (appendix A of PostgreSQL's manual), errno words of sockets. */
const codes: Record<FailureKind, Record<string, string>> = {
  away: {
    "08006": "connection failure",
    "25006": "read-only transaction: a standby",
    "40001": "serialization failure",
    "40P01": "deadlock",
    "53200": "out of memory",
    "53300": "too many connections",
    "55P03": "lock not available",
    "57014": "statement timeout",
    "57P01": "admin shutdown",
    "57P03": "cannot connect now",
    ECONNREFUSED: "no server",
    ECONNRESET: "connection lost",
    ENOTFOUND: "no such host",
  },
  full: { "53100": "disk full" },
  refused: {
    "22001": "a text too long for its column",
    "22003": "a number out of range",
    "22021": "U+0000 in a text",
    "22P05": "U+0000 in JSON",
    "23514": "check constraint",
    "54000": "a value too large",
    "54001": "nested too deeply",
  },
  gone: { "23503": "the store's row was deleted", "42P01": "the store's table was dropped" },
};

describe("a failure of the database", () => {
  const rows = Object.entries(codes).flatMap(([kind, of]) => Object.entries(of).map((row) => [kind, ...row] as const));

  test.each(rows)("reaches the caller as %s: %s, %s", async (kind, code) => {
    const failure = await failureOf(withCode(code));
    expect(failure).toBeInstanceOf(EngineError);
    expect(failure).toMatchObject({ kind });
  });

  test("reaches the caller as away if the pool gave up waiting, which has no code", async () => {
    const failure = await failureOf(new Error("timeout exceeded when trying to connect"));
    expect(failure).toMatchObject({ kind: "away", status: 503 });
  });

  test("keeps message, status and details of the ApiError, and says what caused it", async () => {
    const error = withCode("53100");
    const known = translateError(error) as ApiError;
    const failure = (await failureOf(error)) as EngineError;
    expect(failure.message).toBe(known.message);
    expect(failure.details.retryAfterSeconds).toBe(60);
    expect(failure.details.cause).toMatchObject({ details: { cause: error } });
  });

  test("is gone if the statement found that the store has changed", async () => {
    expect(await failureOf(new StoreChanged("moved"))).toMatchObject({
      kind: "gone",
      status: 409,
      details: { code: "conflict" },
    });
  });
});

describe("an error that is none of the four kinds stays as it is", () => {
  const errors: Record<string, Error> = {
    "of a callback of core": new ApiError(400, "called off"),
    "of a callback of core, which found no such store": new ApiError(404, "no such store"),
    "of the program": new TypeError("undefined is not a function"),
    "of a wrong statement": withCode("42601"),
    "of a missing permission, which an operator must grant": withCode("42501"),
    "of the engine already": new EngineError("full", 503, "full"),
  };
  test.each(Object.entries(errors))("%s", async (_name, error) => {
    expect(await failureOf(error)).toBe(error);
  });

  test("of a unique key, which writing turns into Overtaken", async () => {
    const failure = await failureOf(withCode("23505"));
    expect(failure).toBeInstanceOf(ApiError);
    expect(failure).not.toBeInstanceOf(EngineError);
  });
});
