import { beforeAll, describe, expect, jest, test } from "@jest/globals";
import type { Page } from "playwright-core";
import { type Visit, listen, open, settled, signIn, visitEach } from "./browser.js";
import { as, makePerson, masterKey, named, root } from "./people.js";

jest.setTimeout(120_000);

let current: Visit;
let page: Page;
let user: { id: string; key: string };

beforeAll(async () => {
  user = await makePerson("page-keys");
  // An empty list offers to make a key in a second place.
  await as(masterKey).post("/admin/keys", { body: { name: named("page first key"), scope: "search" } });
});
visitEach(
  () => root,
  async (visited) => {
    current = visited;
    ({ page } = visited);
    await signIn(visited, masterKey, "/keys");
    await settled(page);
  },
);

const dialog = () => page.getByRole("dialog");
const press = (name: string) => page.getByRole("button", { name }).click();
const pressInDialog = (name: string) => dialog().getByRole("button", { name, exact: true }).click();
/** As a mouse that bounces: the second click comes before the first is drawn. */
const pressTwice = (name: string) => dialog().getByRole("button", { name, exact: true }).dblclick();
const focused = () => page.evaluate<string>("document.activeElement.textContent.trim()");
const statusWith = async (key: string) =>
  (await fetch(`${root}/v1/me`, { headers: { authorization: `Bearer ${key}` } })).status;

/** The key that a dialog shows, which closes once it was said that it is stored. */
async function takeKey(): Promise<string> {
  await dialog().getByText("Here is the key").waitFor();
  const key = (await dialog().locator("pre").textContent()) ?? "";
  await page.keyboard.press("Escape");
  await page.getByText("Store the key and say so first").first().waitFor();
  expect(await dialog().isVisible()).toBe(true);
  await dialog().getByLabel("I have stored it").check();
  await pressInDialog("Done");
  await dialog().waitFor({ state: "detached" });
  return key;
}

/** Neither the button back nor a reload takes a key away that was not stored yet. */
async function tryToLeave(): Promise<void> {
  await dialog().getByText("Here is the key").waitFor();
  const [key, address] = [await dialog().locator("pre").textContent(), page.url()];
  await page.evaluate("history.back()");
  await page.getByText("Store the key and say so first").first().waitFor();
  const asked = page.waitForEvent("dialog");
  void page.reload().catch(() => undefined);
  await (await asked).dismiss();
  expect([await dialog().locator("pre").textContent(), page.url()]).toEqual([key, address]);
}

describe("keys of the service", () => {
  test("are made, shown once, replaced with an overlap, and revoked by their name", async () => {
    const name = named("page key");
    const pages = page.getByRole("navigation", { name: "Pages" });
    await pages.getByRole("link", { name: "Sessions" }).click();
    await pages.getByRole("link", { name: "Keys" }).click();
    await press("Make a key");
    await dialog().getByLabel("Name").fill(name);
    await dialog().getByLabel("May").selectOption("read");
    const asked = listen(page);
    await pressTwice("Make a key");
    await tryToLeave();
    const key = await takeKey();
    expect(await statusWith(key)).toBe(200);
    expect(await focused()).toBe("Make a key");
    const row = page.getByRole("row").filter({ hasText: name });
    await row.getByText("search, read and ask").waitFor();
    expect(asked.filter((each) => each.startsWith("POST"))).toEqual(["POST /v1/admin/keys"]);
    expect(await page.content()).not.toContain(key);

    await press(`Rotate ${name}`);
    await dialog().getByLabel("The old key works").selectOption({ label: "1 hour more" });
    await pressTwice("Rotate");
    const next = await takeKey();
    expect([await statusWith(key), await statusWith(next)]).toEqual([200, 200]);
    expect(asked.filter((each) => each.endsWith("/rotate")).length).toBe(1);
    await row.getByText("the key before works until").waitFor();

    await press(`Revoke ${name}`);
    const revoke = dialog().getByRole("button", { name: /^Revoke/ });
    expect(await revoke.getAttribute("aria-disabled")).toBe("true");
    await dialog().getByRole("textbox").fill(name);
    await pressInDialog("Revoke");
    await page.getByText(`${name} was revoked.`).waitFor();
    // The list is asked for once more.
    await row.waitFor({ state: "detached" });
    expect(await statusWith(next)).toBe(401);
  });
});

test("the key that one is signed in with: the new one is seen and stored before its session ends", async () => {
  const name = named("page own key");
  const { key } = await as(masterKey).post<{ key: string }>("/admin/keys", { body: { name, scope: "admin" } });
  await current.context.clearCookies();
  await signIn(current, key, "/keys");
  await settled(page);
  let release = () => undefined as unknown;
  const held = new Promise(
    (done) =>
      (release = () => {
        done(null);
      }),
  );
  await page.route(/\/rotate$/, async (route) => {
    await held;
    await route.continue();
  });
  await press(`Rotate ${name}`);
  await dialog().getByText("You are signed in with this key").waitFor();
  await dialog().getByLabel("The old key works").selectOption({ label: "no longer" });
  await pressInDialog("Rotate");
  // Neither closes the dialog while the key is being made.
  await page.keyboard.press("Escape");
  await page.getByText("The key is being made").first().waitFor();
  expect(
    await dialog()
      .getByRole("button", { name: /^Cancel/ })
      .getAttribute("aria-disabled"),
  ).toBe("true");
  release();
  // The list of keys is refused by now.
  await dialog().getByText("You are signed out").waitFor();
  const next = await takeKey();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await page.getByText("its key was revoked").waitFor();
  expect([await statusWith(key), await statusWith(next)]).toEqual([401, 200]);
  current.faults = current.faults.filter((fault) => !fault.includes("status of 401"));
});

describe("LiteLLM's keys", () => {
  test("are found by their user, made, blocked and unblocked", async () => {
    await open(current, `/keys/litellm?user_id=${user.id}`);
    await page.getByText("1 key", { exact: true }).waitFor();
    const alias = named("laptop");
    await press("Make a key");
    await dialog().getByLabel("Alias").fill(alias);
    await dialog().getByLabel("User").fill(user.id);
    await pressInDialog("Make a key");
    const key = await takeKey();
    await page.getByText("2 keys", { exact: true }).waitFor();
    expect(await statusWith(key)).toBe(200);

    await press(`Block ${alias}`);
    await pressInDialog("Block");
    await page.getByText(`${alias} was blocked.`).waitFor();
    expect(await statusWith(key)).toBe(401);
    await press(`Unblock ${alias}`);
    await pressInDialog("Unblock");
    await page.getByText(`${alias} works again.`).waitFor();
    expect(await statusWith(key)).toBe(200);
  });
});

test("who may only look sees why nothing can be changed", async () => {
  const viewer = await makePerson("page-viewer", "proxy_admin_viewer");
  await current.context.clearCookies();
  await signIn(current, viewer.key, "/keys");
  await settled(page);
  const make = page.getByRole("button", { name: "Make a key" });
  expect(await make.getAttribute("aria-disabled")).toBe("true");
  expect(await make.getAttribute("title")).toBe("Your key may only look, not change this.");
  await make.click({ force: true });
  expect(await dialog().count()).toBe(0);
});
