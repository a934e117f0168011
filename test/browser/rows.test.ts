import { beforeAll, beforeEach, expect, jest, test } from "@jest/globals";
import type { Page } from "playwright-core";
import { type Visit, listen, open, settled, signIn, visitEach } from "./browser.js";
import { addRow, as, grant, makePerson, makeStore, root, upload } from "./people.js";

jest.setTimeout(120_000);

let current: Visit;
let page: Page;
let owner: { id: string; key: string };
let store: string;

beforeAll(async () => {
  owner = await makePerson("page-rows");
});
beforeEach(async () => {
  store = await makeStore(owner.key, "Rows");
  for (let n = 1; n <= 27; n += 1) await addRow(owner.key, store, `Note ${n}`, { topic: n % 2 ? "odd" : "even", n });
});
visitEach(
  () => root,
  async (visited) => {
    current = visited;
    ({ page } = visited);
    await signIn(visited, owner.key, `/vector-stores/${store}/rows`);
    await settled(page);
  },
);

const main = () => page.getByRole("main");
const dialog = () => page.getByRole("dialog");
const press = (name: string) => main().getByRole("button", { name, exact: true }).click();
const pressInDialog = (name: string) => dialog().getByRole("button", { name, exact: true }).click();
const row = (text: string) =>
  main()
    .getByRole("row")
    .filter({ has: page.getByText(text, { exact: true }) });
const eq = (key: string, value: unknown) => encodeURIComponent(JSON.stringify({ type: "eq", key, value }));
const contents = async () => {
  await settled(page);
  return main().locator("tbody tr td bdi.line-clamp-3").allTextContents();
};
const stored = async () =>
  (
    await as(owner.key).get<{ data: { content: string; metadata: object }[] }>(`/vector_stores/${store}/embeddings`, {
      query: { limit: 100 },
    })
  ).data;

test("are paged, added, changed, and deleted one by one or as chosen", async () => {
  expect((await contents()).length).toBe(25);
  await page.getByRole("link", { name: "Next page" }).click();
  await row("Note 1").waitFor();
  expect(await contents()).toEqual(["Note 2", "Note 1"]);
  await page.getByRole("link", { name: "Previous page" }).click();

  await press("Add row");
  expect(await dialog().getByRole("button", { name: "Add row" }).getAttribute("title")).toBe(
    "Enter some content first.",
  );
  await dialog().getByLabel("Content").fill("Written <b>here</b>");
  await dialog().getByLabel("Metadata").fill('{"topic": ');
  await dialog()
    .getByText(/^This is not the JSON that is needed/)
    .waitFor();
  await dialog().getByLabel("Metadata").fill('{"topic": "page"}');
  await dialog().getByLabel("ID").fill("by-hand");
  const asked = listen(page);
  await dialog().getByRole("button", { name: "Add row", exact: true }).dblclick();
  await page.getByText("The row was added.").waitFor();
  expect(asked.filter((each) => each.startsWith("POST")).length).toBe(1);
  await open(current, `/vector-stores/${store}/rows?filters=${eq("topic", "page")}`);
  await row("Written <b>here</b>").getByText("topic: page").waitFor();

  await press("Change row by-hand");
  await dialog().getByLabel("Content").fill("Changed");
  await dialog().getByLabel("Metadata").fill('{"topic": "page", "n": 0}');
  await pressInDialog("Save");
  await row("Changed").waitFor();
  expect(await stored()).toContainEqual(
    expect.objectContaining({ content: "Changed", metadata: { topic: "page", n: 0 } }),
  );

  await press("Delete row by-hand");
  await pressInDialog("Delete");
  await page.getByText("1 row was deleted.").waitFor();
  await page.getByText("No row matches the filter").waitFor();
  await press("Remove the filter");
  for (const text of ["Note 27", "Note 26"]) await row(text).getByRole("checkbox").check();
  await press("Delete 2 chosen");
  await dialog().getByRole("textbox").fill("delete 2 rows");
  await pressInDialog("Delete");
  await page.getByText("2 rows were deleted.").waitFor();
  expect((await stored()).length).toBe(25);
});

test("are deleted by the filter that is shown, never by one that is unfinished or not applied", async () => {
  const text = "A chunk of a file is no row of the list's own.";
  await upload(owner.key, store, "odd.txt", text);
  // The chunk's file leads there; the chunk itself can be neither chosen, nor changed, nor deleted.
  await page.reload();
  const chunk = row(text);
  expect(await chunk.getByRole("link", { name: "Chunk of a file" }).getAttribute("href")).toMatch(/\/files\/file-\w+$/);
  expect(await chunk.getByRole("checkbox").count()).toBe(0);
  for (const name of [/^Change row/, /^Delete row/])
    expect(await chunk.getByRole("button", { name }).getAttribute("title")).toMatch(/only with the file/);
  await press("Add a condition");
  const condition = page.getByRole("group", { name: "Condition 1" });
  await press("Apply the filter");
  await condition.getByText("Enter a key.").waitFor();
  await condition.getByText("Enter a value.").waitFor();
  expect(new URL(page.url()).search).toBe("");
  await condition.getByLabel("Key").fill("topic");
  await condition.getByLabel("Value").fill("odd");
  await condition.getByLabel("Value").press("Enter");
  await page.waitForURL(/filters=/);
  expect((await contents()).length).toBe(14);

  await press("Add a condition");
  const remove = main().getByRole("button", { name: /^Delete all that match/ });
  expect(await remove.getAttribute("title")).toBe("Apply the filter first, to see what it matches.");
  await remove.click({ force: true });
  expect(await dialog().count()).toBe(0);
  const second = page.getByRole("group", { name: "Condition 2" });
  await second.getByLabel("Key").fill("n");
  await second.getByLabel("Type").selectOption("number");
  await second.getByLabel("Comparison").selectOption("gt");
  await second.getByLabel("Value").fill("20");
  await press("Apply the filter");
  await page.waitForURL(/gt/);
  expect(await contents()).toEqual(["Note 27", "Note 25", "Note 23", "Note 21"]);
  await remove.click();
  await dialog().getByText('"value":20').waitFor();
  await dialog().getByRole("textbox").fill("delete all that match");
  await pressInDialog("Delete");
  await page.getByText("4 rows were deleted.").waitFor();
  await page.getByText("No row matches the filter").waitFor();
  await press("Remove the filter");
  await row("Note 26").waitFor();
  expect((await stored()).filter(({ content }) => content.startsWith("Note")).length).toBe(23);
});

test("are read-only for who may only read, with the reason", async () => {
  const reader = await makePerson("page-reader");
  await grant(owner.key, store, `user:${reader.id}`, "read");
  await current.context.clearCookies();
  await signIn(current, reader.key, "/sessions");
  await open(current, `/vector-stores/${store}/rows?filters=${eq("n", 3)}`);
  for (const name of ["Add row", "Delete all that match", /^Change row/, /^Delete row/]) {
    const button = main().getByRole("button", { name }).first();
    expect(await button.getAttribute("title")).toBe("You may only do this here: read.");
    await button.click({ force: true });
  }
  expect(await dialog().count()).toBe(0);
  expect(await main().getByRole("checkbox").count()).toBe(0);
});
