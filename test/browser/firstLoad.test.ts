import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { get } from "node:http";
import type { Browser } from "playwright-core";
import { openBrowser } from "../support/chromium.js";
import { open, signIn, visit } from "./browser.js";
import { masterKey, root } from "./people.js";

jest.setTimeout(120_000);

const mostBytes = 150_000;

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

/** The bytes of a script on the wire to a browser that takes gzip. */
const gzipped = (url: string): Promise<number> =>
  new Promise((done, fail) => {
    get(url, { headers: { "accept-encoding": "gzip" } }, (answer) => {
      expect(answer.headers["content-encoding"]).toBe("gzip");
      expect(answer.headers["cache-control"]).toContain("immutable");
      let bytes = 0;
      answer
        .on("data", (part: Buffer) => (bytes += part.length))
        .on("end", () => {
          done(bytes);
        });
    }).on("error", fail);
  });

/** A page with charts loads them later, so they are not counted. */
describe("script that is loaded first, gzipped", () => {
  test.each(["/sign-in", "/dashboard", "/vector-stores", "/sessions"])("%s", async (path) => {
    const visited = await visit(browser, root);
    if (path !== "/sign-in") await signIn(visited, masterKey, path);
    // Signing in has shown the first page, which may still be loading its chart.
    visited.page = await visited.context.newPage();
    const scripts = new Set<string>();
    visited.page.on("request", (request) => {
      const isChart = /\/chart-[^/]+$/.test(request.url());
      if (request.resourceType() === "script" && !isChart) scripts.add(request.url());
    });
    await open(visited, path);
    const sizes = await Promise.all([...scripts].map(gzipped));
    expect(sizes.length).toBeGreaterThan(3);
    expect(sizes.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThanOrEqual(mostBytes);
    await visited.context.close();
  });
});
