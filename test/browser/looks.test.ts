import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import type { Browser, Page } from "playwright-core";
import { openBrowser } from "../support/chromium.js";
import { expectAccessible, expectFits, open, resize, shoot, signIn, visit } from "./browser.js";
import { addRow, as, grant, makeKey, makePerson, makeStore, manage, masterKey, named, root, upload } from "./people.js";

/**
 * Every page in both colour schemes, on a phone and on a desk: what axe can tell of it, nothing wider than the screen,
 * no fault in the console. Leaves a screenshot of each.
 */

jest.setTimeout(300_000);

let browser: Browser;
let pages: Record<string, string>;

beforeAll(async () => {
  browser = await openBrowser();
  const { id: user, key } = await makePerson("page-looks");
  const store = await makeStore(key, named("Handbook"));
  const text = "Returns are possible within 30 days of purchase. Shipping is free for orders over $50.";
  const file = await upload(key, store, "returns.txt", text);
  await addRow(key, store, "A row", { topic: "rows" });
  const loner = await makeKey({});
  await makeStore(loner, named("Alone"));
  const { team_id: team } = await manage<{ team_id: string }>("/team/new", { team_alias: named("looking") });
  await grant(key, store, "team:readers", "read");
  await as(masterKey).post("/admin/keys", { body: { name: named("registry"), scope: "search" } });
  const within = `/vector-stores/${store}`;
  pages = {
    dashboard: "/dashboard",
    stores: "/vector-stores",
    store: within,
    files: `${within}/files`,
    file: `${within}/files/${file}`,
    uploaded: "/files",
    rows: `${within}/rows`,
    search: `${within}/search?q=returns`,
    ask: `${within}/ask`,
    permissions: `${within}/permissions`,
    settings: `${within}/settings`,
    people: "/people",
    user: `/people/users/${encodeURIComponent(user)}`,
    team: `/people/teams/${encodeURIComponent(team)}`,
    owner: `/people/owners/${encodeURIComponent(`key:${createHash("sha256").update(loner).digest("hex")}`)}`,
    usage: "/usage",
    keys: "/keys",
    "keys of LiteLLM": "/keys/litellm",
    audit: "/audit",
    health: "/health",
    sessions: "/sessions",
    missing: "/no-such-page",
  };
});
afterAll(() => browser.close());

/** Each width is the one that a page is loaded with in one scheme, and the one that it is brought to in the other. */
describe.each([
  { scheme: "light", first: 1440, then: 390 },
  { scheme: "dark", first: 390, then: 1440 },
] as const)("$scheme", ({ scheme, first, then }) => {
  const look = async (page: Page, name: string, least?: number) => {
    for (const width of [first, then]) {
      await resize(page, width);
      await expectAccessible(page, least);
      await expectFits(page);
      await shoot(page, `${name}-${scheme}-${width}`);
    }
    await resize(page, first);
  };

  test("every page", async () => {
    const visited = await visit(browser, root, { scheme, width: first });
    const { page, faults, context } = visited;
    await page.goto("/admin/sign-in");
    await page.getByLabel("Key", { exact: true }).waitFor();
    await look(page, "sign-in", 10);
    await signIn(visited, masterKey);
    for (const [name, path] of Object.entries(pages)) {
      await open(visited, path);
      await look(page, name);
      // So that a fault names its page.
      expect({ name, faults }).toEqual({ name, faults: [] });
    }
    await open(visited, pages.rows ?? "");
    await page
      .getByRole("button", { name: /^Change row/ })
      .first()
      .click();
    await page.getByRole("dialog").getByLabel("Content").waitFor();
    await look(page, "row");
    expect(faults).toEqual([]);
    await context.close();
  });
});
