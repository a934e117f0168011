import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import type { Browser } from "playwright-core";
import { expectAccessible, expectFits, open, openBrowser, schemes, shoot, signIn, visit, widths } from "./browser.js";
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

const looks = schemes.flatMap((scheme) => widths.map((width) => ({ scheme, width })));

describe.each(looks)("$scheme, $width px", (look) => {
  test("every page", async () => {
    const visited = await visit(browser, root, look);
    const { page, faults, context } = visited;
    await page.goto("/admin/sign-in");
    await page.getByLabel("Key", { exact: true }).waitFor();
    await expectAccessible(page, 10);
    await shoot(page, `sign-in-${look.scheme}-${look.width}`);
    await signIn(visited, masterKey);
    for (const [name, path] of Object.entries(pages)) {
      await open(visited, path);
      // So that a fault names its page.
      expect({ name, faults }).toEqual({ name, faults: [] });
      await expectAccessible(page);
      await expectFits(page);
      await shoot(page, `${name}-${look.scheme}-${look.width}`);
    }
    await open(visited, pages.rows ?? "");
    await page
      .getByRole("button", { name: /^Change row/ })
      .first()
      .click();
    await page.getByRole("dialog").getByLabel("Content").waitFor();
    await expectAccessible(page);
    await expectFits(page);
    await shoot(page, `row-${look.scheme}-${look.width}`);
    expect(faults).toEqual([]);
    await context.close();
  });
});
