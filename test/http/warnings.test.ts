import { describe, expect, test } from "@jest/globals";
import express from "express";
import fc from "fast-check";
import request from "supertest";
import { warningsOf } from "../../src/http/warnings.js";

/** The header of an answer whose handler warned of these. */
async function headerOf(messages: readonly string[]): Promise<string | undefined> {
  const app = express();
  app.get("/", (_req, res) => {
    messages.forEach(warningsOf(res).warn);
    res.json({});
  });
  const answer = await request(app).get("/").expect(200);
  return answer.headers["x-vector-store-warning"];
}

describe("warnings in a header", () => {
  test("none without a warning, one as it is, several in order, a repeated one once", async () => {
    expect(await headerOf([])).toBeUndefined();
    expect(await headerOf(["not reranked: no model"])).toBe("not reranked: no model");
    expect(await headerOf(["b", "a", "b"])).toBe("b; a");
  });

  test("line ends and characters beyond ASCII are escaped", async () => {
    expect(await headerOf(["café\r\nset-cookie: a=b 🦊"])).toBe(
      "caf\\u00e9\\u000d\\u000aset-cookie: a=b \\ud83e\\udd8a",
    );
  });

  test("a long one is cut, and the number of those that do not fit is said", async () => {
    expect(await headerOf(["x".repeat(401)])).toBe(`${"x".repeat(397)}...`);
    // The cut does not leave half an escape.
    expect(await headerOf([`${"x".repeat(394)}${"é".repeat(9)}`])).toBe(`${"x".repeat(394)}...`);
    const header = await headerOf(Array.from({ length: 50 }, (_, i) => `${i}`.padEnd(100, ".")));
    expect(header).toMatch(/^0\.{99}; 1\..*; and 36 more$/);
  });

  test("whatever the messages are, the header is one short line of ASCII", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ unit: "binary", maxLength: 2000 }), { minLength: 1 }), async (messages) => {
        expect(await headerOf(messages)).toMatch(/^[\x20-\x7e]{0,1520}$/);
      }),
      { numRuns: 50 },
    );
  });
});
