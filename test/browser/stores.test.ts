import { beforeAll, describe, expect, jest, test } from "@jest/globals";
import type { Page } from "playwright-core";
import { type Visit, expectAccessible, focusOn, open, resize, settled, signIn, visitEach } from "./browser.js";
import { as, makeKey, makePerson, makeStore, named, root } from "./people.js";

jest.setTimeout(120_000);

let current: Visit;
let page: Page;
let key: string;

beforeAll(async () => {
  ({ key } = await makePerson("page-stores"));
  for (let n = 1; n <= 25; n += 1) await makeStore(key, `Notes ${String(n).padStart(2, "0")}`);
});
visitEach(
  () => root,
  async (visited) => {
    current = visited;
    ({ page } = visited);
    await signIn(visited, key, "/vector-stores");
    await settled(page);
  },
);

const rowNames = async () => {
  await settled(page);
  return page.getByRole("link", { name: /^Notes/ }).allTextContents();
};
const byName = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, n) => `Notes ${String(from + n).padStart(2, "0")}`);

describe("the list of vector stores", () => {
  test("is searched, and the address says how: reload and back show the same", async () => {
    await page.getByLabel("Search by name").fill("notes 1");
    await page.keyboard.press("Enter");
    await page.getByText("10 vector stores with").waitFor();
    expect(new URL(page.url()).search).toBe("?name=notes+1");
    await page.reload();
    expect((await rowNames()).length).toBe(10);
    expect(await page.getByLabel("Search by name").inputValue()).toBe("notes 1");
    await page.goBack();
    await page.getByText("25 vector stores with").waitFor();
    expect(await page.getByLabel("Search by name").inputValue()).toBe("");
  });

  test("is sorted and cut into pages by the service", async () => {
    const name = page.getByRole("columnheader", { name: "Name" });
    await name.getByRole("button").click();
    await page.waitForURL(/sort=name&order=asc/);
    await page.locator('th[aria-sort="ascending"]').filter({ hasText: "Name" }).waitFor();
    expect(await rowNames()).toEqual(byName(1, 20));
    await page.getByRole("link", { name: "Next page" }).click();
    await page.getByRole("link", { name: "Notes 25" }).waitFor();
    expect(await rowNames()).toEqual(byName(21, 25));
    // Only the first page says how many there are in all.
    await page.getByText("25 vector stores with").waitFor();
    await page.reload();
    expect(await rowNames()).toEqual(byName(21, 25));
    await page.getByRole("link", { name: "Previous page" }).click();
    await page.getByRole("link", { name: "Notes 01" }).waitFor();
    expect(await rowNames()).toEqual(byName(1, 20));
  });

  test("is the first page in the usual order when the address says what nobody knows", async () => {
    await open(current, "/vector-stores?sort=planet&order=sideways&owner=ann");
    expect((await rowNames()).length).toBe(20);
    expect(await page.locator('th[aria-sort="descending"]').textContent()).toBe("Created");
    await page.goto("/admin/vector-stores?sort=name&order=asc&page=cut-off");
    await page.waitForURL((url) => url.search === "?sort=name&order=asc");
    expect(await rowNames()).toEqual(byName(1, 20));
    expect(await page.getByRole("alert").count()).toBe(0);
    current.faults = current.faults.filter((fault) => !fault.includes("status of 400"));
  });

  test("with the keyboard alone: create, and cancel brings the focus back", async () => {
    const create = page.getByRole("button", { name: "Create vector store" });
    await create.focus();
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog", { name: "Create vector store" });
    await dialog.waitFor();
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    expect(await page.evaluate("document.activeElement.textContent")).toBe("Create vector store");
    await page.keyboard.press("Enter");
    await dialog.getByLabel("Name").waitFor();
    const name = named("By keyboard");
    await page.keyboard.type(name);
    await page.keyboard.press("Tab");
    await page.keyboard.type("7");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name }).waitFor();
    expect(new URL(page.url()).pathname).toMatch(/\/vector-stores\/vs_\w+$/);
  });

  test("on a phone shows what is beyond its edge, as the tabs of a store do; and its ages move on", async () => {
    const edges = page.locator("[data-more]");
    expect(await edges.count()).toBe(0);
    await resize(page, 390);
    await edges.waitFor();
    await page.getByRole("region", { name: "Vector stores" }).press("ArrowRight");
    await page.locator("[data-more].left-0").waitFor();
    await page.getByRole("link", { name: "Notes 25" }).click();
    const tab = page
      .getByRole("navigation", { name: "Parts of the vector store" })
      .getByRole("link", { name: "Settings" });
    await tab.click();
    await page.locator("[data-more].left-0").waitFor();
    const { x = 0, width = 0 } = (await tab.boundingBox()) ?? {};
    expect(x + width).toBeLessThanOrEqual(390);

    await page.clock.install();
    await resize(page, 1440);
    await page.goto("/admin/vector-stores");
    const age = page.getByRole("row").filter({ hasText: "Notes 25" }).locator("time").last();
    await age.filter({ hasText: /second|minute/ }).waitFor();
    await page.clock.runFor(3 * 3_600_000);
    await age.filter({ hasText: "3 hours ago" }).waitFor();
  });

  test("a wrong expiry is refused beside its field, and nothing that was typed is lost", async () => {
    await page.getByRole("button", { name: "Create vector store" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name").fill("Kept");
    await dialog.getByLabel("Days without use").fill("9999");
    await dialog.getByRole("button", { name: "Create vector store" }).click();
    await dialog
      .getByText(/expires_after\.days/)
      .first()
      .waitFor();
    expect(await dialog.getByLabel("Name").inputValue()).toBe("Kept");
    expect(await dialog.getByLabel("Days without use").getAttribute("aria-invalid")).toBe("true");
    current.faults = current.faults.filter((fault) => !fault.includes("status of 400"));
  });

  test("a dialog asks before Escape or a click beside it takes away what was typed", async () => {
    await page.getByRole("button", { name: "Create vector store" }).click();
    const dialog = page.getByRole("dialog", { name: "Create vector store" });
    const question = page.getByRole("dialog", { name: "Discard what you have typed?" });
    await dialog.getByLabel("Name").fill("Half a na");
    await page.keyboard.press("Escape");
    await question.waitFor();
    await expectAccessible(page, 10);
    await page.keyboard.press("Escape");
    await question.waitFor({ state: "detached" });
    expect(await dialog.getByLabel("Name").inputValue()).toBe("Half a na");
    await page.mouse.click(5, 5);
    await question.getByRole("button", { name: "Keep typing" }).click();
    await question.waitFor({ state: "detached" });
    expect(await dialog.getByLabel("Name").inputValue()).toBe("Half a na");
    await dialog.getByLabel("Name").fill("");
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    await page.keyboard.press("Enter");
    await dialog.getByLabel("Days without use").fill("7");
    await page.mouse.click(5, 5);
    await question.getByRole("button", { name: "Discard" }).click();
    await dialog.waitFor({ state: "detached" });
    await focusOn(page.getByRole("button", { name: "Create vector store" }));
  });

  test("is not to be added to by a key that is for some of them", async () => {
    const { data } = await as(key).vectorStores.list({ limit: 1 });
    const { id, key: own } = await makePerson("page-stores-some");
    const some = await makeKey({ user_id: id, object_permission: { vector_stores: data.map((store) => store.id) } });
    for (const [by, why] of [
      [some, "Your key is only for 1 vector store, so it cannot create another."],
      [own, null],
    ] as const) {
      await current.context.clearCookies();
      await signIn(current, by, "/vector-stores");
      await settled(page);
      const create = page.getByRole("button", { name: /^Create vector store/ }).first();
      expect([await create.getAttribute("title"), await create.getAttribute("aria-disabled")]).toEqual([
        why,
        why === null ? null : "true",
      ]);
    }
  });

  test("one is deleted by what is seen of its name, and one with nothing to see by its id", async () => {
    const blank = await makeStore(key, "\u200b \t");
    await makeStore(key, "Odd  spaces,\u00a0a\ttab\nand a line");
    for (const [filter, text] of [
      ["odd", "Odd spaces, a tab and a line"],
      ["\u200b", blank],
    ] as const) {
      await open(current, `/vector-stores?name=${encodeURIComponent(filter)}`);
      await page.getByLabel("Choose all on this page").check();
      await page.getByRole("button", { name: "Delete", exact: true }).click();
      const dialog = page.getByRole("dialog", { name: "Delete this vector store?" });
      const sure = dialog.getByRole("button", { name: /^Delete/ });
      const field = dialog.getByLabel(`Type “${text}” to confirm`);
      await field.fill(text.slice(1));
      expect(await sure.getAttribute("aria-disabled")).toBe("true");
      await field.fill(text);
      await sure.click();
      await page.getByText("No vector store matches").waitFor();
    }
  });

  test("characters that turn a name around are shown, and are not asked for when it is deleted", async () => {
    const name = "\u202egnp.eci\u2066ovni";
    const id = await makeStore(key, name);
    const seen = "⟨U+202E⟩gnp.eci⟨U+2066⟩ovni";
    await as(key).post(`/vector_stores/${id}`, { body: { metadata: { note: "a\u200bb" } } });
    await current.context.grantPermissions(["clipboard-read", "clipboard-write"]);
    await open(current, `/vector-stores/${id}`);
    await page.getByRole("heading", { level: 1, name: seen }).waitFor();
    expect(await page.title()).toContain(seen);
    await page.getByText("note: a⟨U+200B⟩b").waitFor();
    await page.getByRole("button", { name: "Copy YAML" }).click();
    await page.getByText("Copied: YAML").waitFor();
    const copied = await page.evaluate<string>("navigator.clipboard.readText()");
    expect(copied).toContain("gnp.eci");
    expect(copied).not.toContain("⟨U+");
    for (const typed of ["gnp.eciovni", seen]) {
      await open(current, `/vector-stores?name=${encodeURIComponent("gnp.eci")}`);
      await page.getByRole("link", { name: seen }).waitFor();
      await page.getByRole("checkbox", { name: `Choose ${seen}` }).check();
      await page.getByRole("button", { name: "Delete", exact: true }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByRole("listitem").getByText(seen).waitFor();
      await dialog.getByLabel("Type “gnp.eciovni” to confirm").fill(typed);
      const sure = dialog.getByRole("button", { name: /^Delete/ });
      expect(await sure.getAttribute("aria-disabled")).toBeNull();
      if (typed === seen) await sure.click();
    }
    await page.getByText("No vector store matches").waitFor();
  });

  test("several are deleted by typing what was asked for", async () => {
    for (const name of ["Doomed 1", "Doomed 2"]) await makeStore(key, name);
    await page.getByLabel("Search by name").fill("doomed");
    await page.keyboard.press("Enter");
    await page.getByText("2 vector stores with").waitFor();
    await page.getByLabel("Choose all on this page").check();
    await page.getByRole("button", { name: "Delete 2" }).click();
    const dialog = page.getByRole("dialog", { name: "Delete 2 vector stores?" });
    const sure = dialog.getByRole("button", { name: /^Delete 2/ });
    await dialog.waitFor();
    expect(await sure.getAttribute("aria-disabled")).toBe("true");
    await dialog.getByLabel(/confirm/).fill("delete 2 vector stores");
    await sure.click();
    await page.getByText("No vector store matches").waitFor();
  });
});
