import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from "@jest/globals";
import type { Browser } from "playwright-core";
import { openBrowser } from "../support/chromium.js";
import { type Visit, open, settled, signIn, visit } from "./browser.js";
import { as, grant, makeKey, makePerson, makeStore, makeUser, manage, masterKey, named, root } from "./people.js";

jest.setTimeout(120_000);

let browser: Browser;
let current: Visit;

beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());
afterEach(() => current.context.close());

const enter = async (key: string, path?: string) => {
  current = await visit(browser, root);
  await signIn(current, key, path);
  await settled(current.page);
  return current;
};
const link = (name: string) => current.page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name });

describe("signing in", () => {
  test("a wrong key is refused in the service's words", async () => {
    current = await visit(browser, root);
    const { page, faults } = current;
    await page.goto("/admin/");
    await page.getByLabel("Key", { exact: true }).fill("sk-nobody");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("Incorrect API key provided.").waitFor();
    expect(faults.filter((fault) => !fault.includes("status of 401"))).toEqual([]);
  });

  test("the key stays nowhere in the browser, and scripts do not see the session", async () => {
    const { page, context, faults } = await enter(masterKey);
    const stored = await page.evaluate<string>(
      "JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }, location.href, history.state])",
    );
    expect(stored).not.toContain(masterKey);
    expect(await page.evaluate("document.cookie")).toBe("");
    const [cookie, ...others] = await context.cookies();
    expect(others).toEqual([]);
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Strict", path: "/" });
    expect(cookie?.value).not.toContain(masterKey);
    expect(faults).toEqual([]);
  });

  test("a link to a page asks to sign in first, then leads there", async () => {
    const { page } = await enter(masterKey, "/vector-stores?name=nothing-like-this&sort=name&order=asc");
    await page.getByText("No vector store matches").waitFor();
    expect(new URL(page.url()).search).toBe("?name=nothing-like-this&sort=name&order=asc");
  });

  test("a link cannot lead to another server", async () => {
    current = await visit(browser, root);
    await current.page.goto("/admin/sign-in?next=//example.com/");
    await current.page.getByLabel("Key", { exact: true }).fill(masterKey);
    await current.page.keyboard.press("Enter");
    await current.page.getByRole("button", { name: "Sign out" }).waitFor();
    expect(new URL(current.page.url()).origin).toBe(root);
  });

  test("a link of another site leads to the page of who is signed in", async () => {
    const { page, faults } = await enter(masterKey);
    // The browser keeps the cookie back, as of any other site.
    const elsewhere = "http://localhost/links";
    const target = `${root}/admin/vector-stores?sort=name&order=asc`;
    await page.route(elsewhere, (route) =>
      route.fulfill({ contentType: "text/html", body: `<a href="${target.replace("&", "&amp;")}">Stores</a>` }),
    );
    await page.goto(elsewhere);
    await page.getByRole("link", { name: "Stores" }).click();
    await page.getByRole("heading", { level: 1, name: "Vector stores" }).waitFor();
    expect(page.url()).toBe(target);
    expect(faults.filter((fault) => fault !== elsewhere)).toEqual([]);
  });

  test("speaks German to who prefers it", async () => {
    current = await visit(browser, root, { locale: "de-DE" });
    await current.page.goto("/admin/");
    await current.page.getByRole("heading", { name: "Anmelden" }).waitFor();
    expect(await current.page.evaluate("document.documentElement.lang")).toBe("de");
  });
});

describe("who sees what", () => {
  test("an administrator's LiteLLM key shows the pages of administration", async () => {
    const { key } = await makePerson("page-admin", "proxy_admin");
    await enter(key);
    for (const name of ["Dashboard", "Vector stores", "Users and teams", "Keys", "Audit log"])
      await link(name).waitFor();
  });

  test("a viewer sees the same and may change nothing", async () => {
    const { key } = await makePerson("page-viewer", "proxy_admin_viewer");
    const { page } = await enter(key, "/vector-stores");
    await link("Keys").waitFor();
    const create = page.getByRole("button", { name: "Create vector store" }).first();
    expect(await create.getAttribute("aria-disabled")).toBe("true");
    expect(await create.getAttribute("title")).toBe("Your key may not change vector stores.");
  });

  test("a user sees what they own and were granted, and a stranger does not", async () => {
    const [owner, friend, stranger] = [
      await makePerson("page-owner"),
      await makePerson("page-friend"),
      await makePerson("page-stranger"),
    ];
    const name = named("Shared notes");
    const store = await makeStore(owner.key, name);
    await makeStore(owner.key, named("Secret notes"));
    await grant(owner.key, store, `user:${friend.id}`, "read");
    await enter(owner.key);
    await current.page.getByRole("link", { name: named("Secret notes") }).waitFor();
    expect(await link("Audit log").count()).toBe(0);
    await current.context.close();
    await enter(friend.key);
    await current.page.getByRole("link", { name }).waitFor();
    await current.page.getByText("1 vector store with").waitFor();
    await current.context.close();
    await enter(stranger.key);
    await current.page.getByText("No vector stores yet").waitFor();
    await open(current, `/vector-stores/${store}`);
    await current.page.getByText(`There is no vector store “${store}”`).waitFor();
  });
});

describe("a session ends", () => {
  test("when its holder signs out: going back shows nothing", async () => {
    const { page } = await enter(masterKey, "/vector-stores");
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page.goBack();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    expect(await page.getByText("Your session").count()).toBe(0);
  });

  test("in all windows of a browser, which also share the next one", async () => {
    const store = named("Of the administrator");
    await makeStore(masterKey, store);
    const { page, context } = await enter(masterKey, "/vector-stores");
    const other = await context.newPage();
    await other.goto("/admin/vector-stores");
    await other.getByRole("link", { name: store }).waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await other.getByText("Your session was ended elsewhere").waitFor();
    const second = await makePerson("page-second");
    await page.getByLabel("Key", { exact: true }).fill(second.key);
    await page.keyboard.press("Enter");
    await other.getByText(`user:${second.id}`).waitFor();
    await other.getByText("No vector stores yet").waitFor();
  });

  test("by itself after its time", async () => {
    const { page, context } = await enter(masterKey, "/vector-stores");
    await page.clock.setFixedTime(Date.now() + 8 * 3_600_000);
    await context.clearCookies();
    await page.getByRole("button", { name: "Rows", exact: true }).click();
    await page.getByText("its time was over").waitFor();
  });

  test("when an administrator ends it: the page asks to sign in and leads back", async () => {
    const { page, faults } = await enter(masterKey, "/vector-stores?sort=name");
    const { session } = await page.evaluate<{ session: { id: string } }>(
      "fetch('/v1/me').then((answer) => answer.json())",
    );
    await as(masterKey).delete(`/admin/sessions/${session.id}`);
    await page.getByRole("button", { name: "Rows", exact: true }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page.getByText("Your session was ended elsewhere: in another window, or by an administrator.").waitFor();
    expect(faults.filter((fault) => !fault.includes("status of 401"))).toEqual([]);
    await page.getByLabel("Key", { exact: true }).fill(masterKey);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Vector stores" }).waitFor();
    expect(new URL(page.url()).search).toContain("sort=");
  });

  test("when its key is blocked", async () => {
    const user = await makeUser("page-blocked");
    const key = await makeKey({ user_id: user });
    await makeStore(key, "Of who is blocked");
    const { page } = await enter(key, "/vector-stores");
    await manage("/key/block", { key });
    // What was said of the key is remembered for KEY_CACHE_SECONDS. Asked here, because only the request of the page
    // that ends the session is told why.
    const headers = { authorization: `Bearer ${key}` };
    while ((await fetch(`${root}/v1/me`, { headers })).status !== 401);
    await page.getByRole("button", { name: "Rows", exact: true }).click();
    await page.getByText("its key was revoked or blocked").waitFor();
  });
});

describe("a session stays", () => {
  test("when LiteLLM refuses a model call of its key", async () => {
    const { key } = await makePerson("page-refused");
    const store = await makeStore(key, named("Refused"));
    const { page, faults } = await enter(key, `/vector-stores/${store}/search`);
    const error = { message: "The provider's key is wrong.", type: "authentication_error", param: null };
    await page.route(/\/search$/, (route) =>
      route.request().method() === "POST"
        ? route.fulfill({ status: 401, json: { error: { ...error, code: "invalid_api_key" } } })
        : route.continue(),
    );
    const asked = page.waitForResponse(/\/v1\/me$/);
    await page.getByRole("textbox", { name: "Query" }).fill("anything");
    await page.keyboard.press("Enter");
    await asked;
    await page.getByRole("alert").getByText("The provider's key is wrong.").waitFor();
    await settled(page);
    expect(await page.getByRole("button", { name: "Sign out" }).count()).toBe(1);
    expect(faults.filter((fault) => !fault.includes("status of 401"))).toEqual([]);
  });
});
