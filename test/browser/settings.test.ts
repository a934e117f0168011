import { beforeAll, beforeEach, expect, jest, test } from "@jest/globals";
import type { Page } from "playwright-core";
import { type Visit, expectAccessible, focusOn, listen, open, settled, signIn, visitEach } from "./browser.js";
import { addRow, as, expire, grant, makePerson, makeStore, named, root } from "./people.js";

/** What a vector store is, and what of it can be changed. */

jest.setTimeout(120_000);

let current: Visit;
let page: Page;
let key: string;
let store: string;

beforeAll(async () => {
  ({ key } = await makePerson("page-settings"));
});
beforeEach(async () => {
  store = await makeStore(key, "Settled");
  await addRow(key, store, "One row");
});
visitEach(
  () => root,
  async (visited) => {
    current = visited;
    ({ page } = visited);
    await signIn(visited, key, `/vector-stores/${store}/settings`);
    await settled(page);
  },
);

const part = (name: string) => page.getByRole("main").getByRole("region", { name, exact: true });
const change = (body: object) => as(key).post(`/vector_stores/${store}`, { body });
const stored = () => as(key).get<object>(`/vector_stores/${store}`);
/** Waits until nothing is left to be saved. */
const saved = (name: string) => part(name).getByTitle("Nothing has changed.").waitFor();
const save = (name: string) => part(name).getByRole("button", { name: /^Save/ });

test("the overview says the state, copies LiteLLM's entry, and leads to re-indexing", async () => {
  await current.context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await change({ search_mode: "hybrid", recall: "exact" });
  await open(current, `/vector-stores/${store}`);
  for (const text of ["not needed", "exact", "hybrid"]) await part("Index").getByText(text, { exact: true }).waitFor();
  await page.getByRole("button", { name: "Copy YAML" }).click();
  await page.getByText("Copied: YAML").waitFor();
  const entry = await page.evaluate<string>("navigator.clipboard.readText()");
  expect(entry).toContain('  - vector_store_name: "Settled"');
  expect(entry).toContain(`vector_store_id: "${store}"`);
  expect(entry).toContain(`api_base: "${root}"`);

  await page.setViewportSize({ width: 390, height: 500 });
  await part("Index").getByRole("link", { name: "Re-index" }).click();
  await page.waitForURL(/#reindex$/);
  const section = part("Re-index");
  await focusOn(section);
  const { y = -1 } = (await section.boundingBox()) ?? {};
  expect(y).toBeGreaterThanOrEqual(0);
  expect(y).toBeLessThan(500);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").getByRole("button", { name: "Re-index" }).click();
  await page.getByText("The indexes are being checked.").waitFor();
  // A link from outside leads there, too, past the way to sign in.
  await current.context.clearCookies();
  await open(current, "/sign-in");
  await signIn(current, key, `/vector-stores/${store}/settings#reindex`);
  await focusOn(section);
});

test("a store that has expired is brought back with one click, or by saving it as it is", async () => {
  const expires = async () => {
    await expire(key, [store]);
    await open(current, `/vector-stores/${store}/settings`);
    await page.getByText("It has expired:").waitFor();
  };
  const isBack = async () => {
    await page.getByText("It has expired:").waitFor({ state: "detached" });
    expect(await stored()).toMatchObject({ status: "completed", name: "Settled", expires_after: { days: 1 } });
  };
  await expires();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Use again" }).click();
  await page.getByText("The vector store can be used again.").waitFor();
  await isBack();
  await expires();
  await save("General").click();
  await page.getByText("Saved.").waitFor();
  await isBack();
});

test("two people change different settings, and neither undoes the other's", async () => {
  const sent: unknown[] = [];
  page.on("request", (request) => {
    if (request.method() === "POST" && request.url().endsWith(store)) sent.push(request.postDataJSON());
  });
  const search = part("Search");
  expect(await save("Search").getAttribute("title")).toBe("Nothing has changed.");
  await search.getByLabel("Recall").selectOption("fast");
  await change({ name: "Renamed by another", search_mode: "keyword", metadata: { by: "another" } });
  await save("Search").click();
  await page.getByText("Saved.").waitFor();
  // What the other one has saved is shown now, and is no change of ours.
  await page.getByRole("heading", { level: 1, name: "Renamed by another" }).waitFor();
  expect(await search.getByLabel("Mode", { exact: true }).inputValue()).toBe("keyword");
  expect(await part("General").getByLabel("Name").inputValue()).toBe("Renamed by another");
  const name = named("Settled");
  await part("General").getByLabel("Name").fill(name);
  await part("General").getByLabel("Name").press("Enter");
  await page.getByRole("heading", { level: 1, name }).waitFor();
  expect(sent).toEqual([{ recall: "fast" }, { name }]);
  expect(await stored()).toMatchObject({ name, recall: "fast", search_mode: "keyword", metadata: { by: "another" } });
});

test("who may only read sees the settings as text, without fields", async () => {
  await change({ search_mode: "hybrid", metadata: { tier: "gold" } });
  const reader = await makePerson("page-settings-reader");
  await grant(key, store, `user:${reader.id}`, "read");
  await current.context.clearCookies();
  await signIn(current, reader.key, "/sessions");
  await open(current, `/vector-stores/${store}/settings`);
  await part("General").getByText("tier").waitFor();
  await part("Search").getByText("hybrid", { exact: true }).waitFor();
  await page.getByText("You may only do this here: read.", { exact: true }).waitFor();
  expect(await page.getByRole("main").locator("input, select, textarea").count()).toBe(0);
  expect(await save("General").count()).toBe(0);
});

test("weights come in pairs, empty fields unset what was set, and what is wrong is said beside its field", async () => {
  const search = part("Search");
  const [vectors, words] = [search.getByLabel(/^Weight of vectors/), search.getByLabel(/^Weight of keywords/)];
  await vectors.fill("1,000");
  await search.getByText("This may be thousands or decimals.").waitFor();
  await vectors.fill("0,25");
  await words.waitFor();
  await search.getByText("Enter both weights, or neither.").waitFor();
  expect(await save("Search").getAttribute("title")).toBe("Correct what is marked first.");
  await vectors.press("Enter");
  expect(await words.getAttribute("aria-invalid")).toBe("true");
  await words.fill("1");
  await search.getByLabel("Results").fill("7");
  await save("Search").click();
  await page.getByText("Saved.").waitFor();
  expect(await stored()).toMatchObject({
    hybrid_search: { embedding_weight: 0.25, text_weight: 1 },
    max_num_results: 7,
  });

  await part("General").getByLabel("Days without use").fill("400");
  await save("General").click();
  await part("General")
    .getByText(/must be at most 365/)
    .first()
    .waitFor();
  expect(await part("General").getByLabel("Days without use").getAttribute("aria-invalid")).toBe("true");
  await part("General").getByLabel("Days without use").fill("4");
  await part("General").getByLabel("Metadata").fill('{"tier": "gold"}');
  await save("General").click();
  await saved("General");
  expect(await stored()).toMatchObject({ expires_after: { days: 4 }, metadata: { tier: "gold" } });

  await vectors.fill("");
  await words.fill("");
  await search.getByLabel("Results").fill("");
  await save("Search").click();
  await saved("Search");
  await part("General").getByLabel("Days without use").fill("");
  await save("General").click();
  await saved("General");
  const after = await stored();
  for (const name of ["hybrid_search", "max_num_results", "expires_after"]) expect(after).not.toHaveProperty(name);
  expect(after).toMatchObject({ metadata: { tier: "gold" } });
  current.faults = current.faults.filter((fault) => !fault.includes("status of 400"));
});

test("it is deleted once, also by two clicks at once, and what was left open on it says that it is gone", async () => {
  const left = await current.context.newPage();
  await left.goto(`/admin/vector-stores/${store}/rows`);
  await left.getByRole("main").getByRole("button", { name: "Add row" }).click();
  await left.getByLabel("Content").fill("Too late");

  const asked = listen(page);
  await page.getByRole("main").getByRole("button", { name: "Delete vector store" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("textbox").fill("Settled");
  await dialog.getByRole("button", { name: "Delete vector store" }).dblclick();
  await page.getByText("The vector store was deleted.").waitFor();
  await page.waitForURL(/\/vector-stores$/);
  await settled(page);
  expect(asked.filter((each) => each.includes(store))).toEqual([`DELETE /v1/vector_stores/${store}`]);

  await left.getByRole("dialog").getByRole("button", { name: "Add row" }).click();
  await left.getByRole("heading", { name: "No such vector store" }).waitFor();
  expect(await left.getByRole("dialog").count()).toBe(0);
  await left.close();
  await open(current, `/vector-stores/${store}/files`);
  await page.getByText(`There is no vector store “${store}”`).waitFor();
  expect(
    await page
      .getByText(/^Request/)
      .locator("code")
      .textContent(),
  ).toMatch(/^\S{8,}$/);
  expect(await page.getByRole("navigation").count()).toBe(1);
  await expectAccessible(page);
  await page.getByRole("link", { name: "To the vector stores" }).click();
  await page.waitForURL(/\/vector-stores$/);
  await settled(page);
  current.faults = current.faults.filter((fault) => !fault.includes("status of 404"));
});
