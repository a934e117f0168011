import { beforeAll, describe, expect, jest, test } from "@jest/globals";
import type { Page } from "playwright-core";
import { type Visit, expectAccessible, expectFits, settled, signIn, visitEach } from "./browser.js";
import { as, expire, grant, makePerson, makeStore, root } from "./people.js";

jest.setTimeout(120_000);

let current: Visit;
let page: Page;
let me: { id: string; key: string };

visitEach(
  () => root,
  (visited) => {
    current = visited;
    ({ page } = visited);
  },
  { width: 390 },
);
beforeAll(async () => {
  me = await makePerson("page-bulk");
  for (let n = 1; n <= 21; n += 1) await makeStore(me.key, `Shelf ${String(n).padStart(2, "0")}`);
});

const dialog = () => page.getByRole("dialog");
const show = async (search: string) => {
  await signIn(current, me.key, `/vector-stores${search}`);
  await settled(page);
};
const chooseAll = () => page.getByLabel("Choose all on this page").check();
const expiries = async (name: string) => {
  const { data } = await as(me.key).vectorStores.list({ limit: 100 });
  return data.filter((store) => store.name.startsWith(name)).map((store) => store.expires_after?.days ?? null);
};

/** What the page sends from now on. */
function sent() {
  const requests: { method: string; path: string; body: unknown }[] = [];
  page.on("request", (request) => {
    const { pathname } = new URL(request.url());
    if (pathname.startsWith("/v1/")) {
      requests.push({ method: request.method(), path: pathname, body: request.postDataJSON() as unknown });
    }
  });
  return {
    bodies: () => requests.filter(({ method }) => method === "POST").map(({ body }) => body),
    lists: () => requests.filter(({ path }) => path === "/v1/me/vector_stores").length,
  };
}

describe("the list of vector stores", () => {
  test("renames one and sets its expiry, and sends only what was changed", async () => {
    await show("?name=shelf+05");
    const { bodies } = sent();
    const edit = page.getByRole("button", { name: "Rename Shelf 05 or set its expiry" });
    await edit.click();
    const save = dialog().getByRole("button", { name: /^Save/ });
    expect(await save.getAttribute("aria-disabled")).toBe("true");
    await dialog().getByLabel("Name").fill("Shelf 05 <b>new</b>");
    await expectAccessible(page, 10);
    await expectFits(page);
    await page.keyboard.press("Enter");
    await page.getByRole("link", { name: "Shelf 05 <b>new</b>" }).waitFor();
    await dialog().waitFor({ state: "detached" });
    expect(await page.evaluate("document.activeElement.getAttribute('aria-label')")).toMatch(/^Rename Shelf 05/);

    await page.getByRole("button", { name: /^Rename Shelf 05/ }).click();
    await dialog().getByLabel("Expires").selectOption("days");
    await dialog().getByLabel("Days without use").fill("0");
    await dialog().getByText("Enter a whole number of days from 1 to 365.").first().waitFor();
    await dialog().getByLabel("Days without use").fill("30");
    await save.click();
    await dialog().waitFor({ state: "detached" });
    expect(bodies()).toEqual([
      { name: "Shelf 05 <b>new</b>" },
      { expires_after: { anchor: "last_active_at", days: 30 } },
    ]);
    expect(await expiries("Shelf 05")).toEqual([30]);
  });

  test("sets the expiry of all chosen, and asks for the list again once", async () => {
    await show("?name=shelf+1");
    const { lists } = sent();
    await chooseAll();
    await page.getByRole("button", { name: "Set expiry" }).click();
    await dialog().getByRole("heading", { name: "When do 10 vector stores expire?" }).waitFor();
    await dialog().getByLabel("Expires").selectOption("days");
    await dialog().getByLabel("Days without use").fill("7");
    await dialog().getByRole("button", { name: "Set expiry" }).click();
    await page.getByText("The expiry of 10 vector stores was set.").waitFor();
    expect(await expiries("Shelf 1")).toEqual(Array(10).fill(7));
    expect(lists()).toBe(1);
    await chooseAll();
    await page.getByRole("button", { name: "Set expiry" }).click();
    expect(await dialog().getByLabel("Days without use").inputValue()).toBe("7");
    await dialog().getByLabel("Expires").selectOption("never");
    await dialog().getByRole("button", { name: "Set expiry" }).click();
    await page.getByText("10 vector stores no longer expire.").waitFor();
    expect(await expiries("Shelf 1")).toEqual(Array(10).fill(null));
  });

  test("brings back those that have expired", async () => {
    const ids = [];
    for (const name of ["Old 1", "Old 2", "Old but used"]) ids.push(await makeStore(me.key, name));
    await expire(me.key, ids.slice(0, 2));
    await show("?name=old");
    const { bodies } = sent();
    await chooseAll();
    await page.getByRole("button", { name: "Use again" }).click();
    await dialog().getByRole("heading", { name: "Use 2 vector stores again?" }).waitFor();
    await dialog().getByRole("button", { name: "Use again" }).click();
    await page.getByText("2 vector stores can be used again.").waitFor();
    expect(bodies()).toEqual([{}, {}]);
    for (const id of ids) expect((await as(me.key).vectorStores.retrieve(id)).status).toBe("completed");
    await settled(page);
    await chooseAll();
    expect(await page.getByRole("button", { name: "Use again" }).count()).toBe(0);
  });

  test("says how many went well, and keeps chosen what did not", async () => {
    const other = await makePerson("page-bulk-other");
    const lent = await makeStore(other.key, "Mixed lent");
    await grant(other.key, lent, `user:${me.id}`, "read");
    for (const name of ["Mixed 1", "Mixed 2"]) await makeStore(me.key, name);
    await show("?name=mixed");
    await chooseAll();
    await page.getByRole("button", { name: "Delete 3" }).click();
    await dialog()
      .getByLabel(/confirm/)
      .fill("delete 3 vector stores");
    await dialog()
      .getByRole("button", { name: /^Delete 3/ })
      .click();
    await dialog().getByText("Done: 2. Not done: 1, for the reasons below. These stay chosen.").waitFor();
    expect(await dialog().getByRole("listitem").allTextContents()).toEqual([expect.stringMatching(/^Mixed lent.+/)]);
    current.faults = current.faults.filter((fault) => !/status of 40[34]/.test(fault));
    await expectAccessible(page, 10);
    await page.keyboard.press("Escape");
    await page.getByText("1 chosen").waitFor();
    expect(await page.getByLabel("Choose Mixed lent").isChecked()).toBe(true);
    expect((await as(other.key).vectorStores.retrieve(lent)).name).toBe("Mixed lent");
  });

  test("shows the first page once all of the last one is deleted", async () => {
    await show("?name=shelf&sort=name&order=asc");
    await page.getByRole("link", { name: "Next page" }).click();
    await page.waitForURL(/page=/);
    await page.getByText("Shelf 21").waitFor();
    await settled(page);
    await chooseAll();
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    await dialog()
      .getByLabel(/confirm/)
      .fill("Shelf 21");
    await dialog()
      .getByRole("button", { name: /^Delete/ })
      .click();
    await page.getByText("The vector store was deleted.").waitFor();
    await page.getByRole("link", { name: "Shelf 01" }).waitFor();
    expect(new URL(page.url()).search).toBe("?name=shelf&sort=name&order=asc");
    expect(await page.evaluate("document.activeElement.id")).toBe("main");
  });
});
