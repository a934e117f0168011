import { beforeAll, describe, expect, jest, test } from "@jest/globals";
import type { Page } from "playwright-core";
import { type Visit, settled, signIn, visitEach } from "./browser.js";
import { makePerson, makeStore, named, root } from "./people.js";

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
    await page.reload();
    expect(await rowNames()).toEqual(byName(21, 25));
    await page.getByRole("link", { name: "Previous page" }).click();
    await page.getByRole("link", { name: "Notes 01" }).waitFor();
    expect(await rowNames()).toEqual(byName(1, 20));
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
