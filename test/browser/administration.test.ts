import { readFileSync } from "node:fs";
import { describe, expect, jest, test } from "@jest/globals";
import type { Page } from "playwright-core";
import { type Visit, expectAccessible, listen, open, settled, signIn, visit, visitEach } from "./browser.js";
import { as, makePerson, makeStore, manage, masterKey, named, root } from "./people.js";

jest.setTimeout(120_000);

let current: Visit;
let page: Page;

const browser = visitEach(
  () => root,
  async (visited) => {
    current = visited;
    ({ page } = visited);
    await signIn(visited, masterKey, "/audit");
    await settled(page);
  },
);

const dialog = () => page.getByRole("dialog");
const press = (name: string) => page.getByRole("main").getByRole("button", { name, exact: true }).first().click();
const pressInDialog = (name: string) => dialog().getByRole("button", { name, exact: true }).click();

describe("people", () => {
  test("are searched, get limits, hand over what they have, and are erased", async () => {
    const [from, to] = [await makePerson("page-from"), await makePerson("page-to")];
    await makeStore(from.key, "<b>Handed</b> over");
    await open(current, `/people/users/${from.id}`);
    await page.getByText("<b>Handed</b> over").waitFor();

    await press("Change limits");
    await dialog().getByLabel("Vector stores", { exact: true }).selectOption("number");
    await dialog().getByLabel("Vector stores, at most").fill("7");
    await pressInDialog("Save");
    await page.getByText("7 (has 1)").waitFor();
    const limits = await as(masterKey).get("/admin/limits", { query: { subject: `user:${from.id}` } });
    expect(limits).toMatchObject({ data: [{ vector_stores: 7 }] });

    await press("Hand over");
    await dialog().getByLabel("User id or email").fill(to.id);
    await pressInDialog("Hand over");
    await page.getByText(`Handed over to user:${to.id}: 1 vector store, 0 files.`).waitFor();
    await page.getByText("0 vector stores", { exact: true }).waitFor();
    expect((await as(to.key).vectorStores.list()).data.map(({ name }) => name)).toEqual(["<b>Handed</b> over"]);

    await open(current, `/people/users/${to.id}`);
    await press("Erase");
    await dialog().getByRole("textbox").fill(`user:${to.id}`);
    await pressInDialog("Erase");
    await page.waitForURL(/\/people$/);
    expect((await as(to.key).vectorStores.list()).data).toEqual([]);
  });

  test("that LiteLLM no longer has are listed; what they left goes to whoever is called by an email", async () => {
    const [leaver, heir] = [await makePerson("page-leaver"), named("page-heir")];
    await makeStore(leaver.key, "Left behind");
    await manage("/user/delete", { user_ids: [leaver.id] });
    const email = `${heir}@example.com`;
    await manage("/user/new", { user_id: heir, user_email: email, user_role: "internal_user", auto_create_key: false });
    await open(current, "/people");
    await page.getByLabel("Listed").selectOption("gone");
    await page.waitForURL(/source=gone/);
    await settled(page);
    const link = page.getByRole("link", { name: leaver.id, exact: true });
    while ((await link.count()) === 0) {
      await page.getByRole("link", { name: "Next page" }).click();
      await settled(page);
    }
    const rows = page.getByRole("table").locator("tbody tr");
    expect(await rows.filter({ hasText: "no longer in LiteLLM" }).count()).toBe(await rows.count());
    await link.click();

    await press("Hand over");
    const whom = dialog().getByLabel("User id or email");
    await whom.fill(`nobody-${email}`);
    await pressInDialog("Hand over");
    await dialog().getByText(`LiteLLM has no user with the id or the email “nobody-${email}”.`).waitFor();
    await dialog().getByText("This is the right id, although LiteLLM does not have it yet").waitFor();
    current.faults = current.faults.filter((fault) => !fault.includes("status of 404"));
    await whom.fill(email.toUpperCase());
    await dialog().getByText(`This is ${heir}`).waitFor();
    expect(await dialog().getByRole("checkbox").count()).toBe(0);
    await pressInDialog("Hand over");
    await page.getByText(`Handed over to user:${heir}: 1 vector store, 0 files.`).waitFor();
    const estate = await as(masterKey).get(`/admin/owners/${encodeURIComponent(`user:${heir}`)}`);
    expect(estate).toMatchObject({ vector_stores: { count: 1, data: [{ name: "Left behind" }] } });
  });
});

describe("usage", () => {
  test("is filtered and grouped by the address, and is downloaded as it is shown", async () => {
    const { id, key } = await makePerson("page-usage");
    await makeStore(key, "Counted");
    await open(current, `/usage?user_id=${id}`);
    // What was asked for in the last second may not be counted yet.
    while ((await page.getByRole("cell", { name: "Vector store created" }).count()) === 0) {
      await page.reload();
      await settled(page);
    }
    await page.getByLabel("Day", { exact: true }).check();
    await page.waitForURL(/by=day%2Caction/);
    await page.getByRole("columnheader", { name: "Day" }).waitFor();
    const [file] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("link", { name: "Download CSV" }).click(),
    ]);
    expect(readFileSync(await file.path(), "utf8")).toMatch(
      /^day,action,requests,failures,tokens,duration_ms\r\n\d{4}-\d\d-\d\d,createVectorStore,1,0,0,\d+\r\n$/,
    );
    // What was typed stays while another control changes the address.
    await page.getByRole("textbox", { name: "Team" }).fill("half a te");
    await press("Table");
    await page.waitForURL(/view=table/);
    await page.getByLabel("Action", { exact: true }).and(page.locator("select")).selectOption("createVectorStore");
    await page.waitForURL(/action=createVectorStore/);
    expect(await page.getByRole("textbox", { name: "Team" }).inputValue()).toBe("half a te");
    await page.reload();
    await page.getByRole("region", { name: "Requests and tokens by day" }).waitFor();
    await press("7 days");
    await page.waitForURL(/days=7/);
    await page.goBack();
    await page.waitForURL((url) => !url.search.includes("days"));
  });

  test("is of days that the service has, whatever the address says", async () => {
    const asked: URLSearchParams[] = [];
    page.on("request", (request) => {
      const { pathname, searchParams } = new URL(request.url());
      if (pathname === "/v1/admin/usage") asked.push(searchParams);
    });
    for (const search of ["from=0026-01-01", "days=9999", "from=2020-01-01&to=2040-01-01&by=planet"]) {
      await open(current, `/usage?${search}`);
      await page.getByRole("columnheader", { name: "Action" }).waitFor();
    }
    const days = asked.map(
      (query) => (Date.parse(query.get("to") ?? "") - Date.parse(query.get("from") ?? "")) / 86_400_000,
    );
    expect(new Set(days)).toEqual(new Set([29]));
    const from = page.getByLabel("From");
    await from.fill("0026-01-01");
    expect(
      await page.getByRole("form", { name: "Days shown" }).getByRole("button", { name: /^Show/ }).getAttribute("title"),
    ).toMatch(/^Enter days from/);
    await from.press("Enter");
    await from.fill("2026-01-01");
    expect(await from.getAttribute("min")).toBe("2020-01-01");
    expect(new URL(page.url()).search).toContain("from=2020-01-01");
  });

  test("of others is not for users", async () => {
    const { key } = await makePerson("page-own-usage");
    await current.context.clearCookies();
    await signIn(current, key, "/usage");
    await settled(page);
    await page.getByText("Your requests, tokens and time.").waitFor();
    expect(await page.getByLabel("Team", { exact: true }).count()).toBe(0);
    // Their own usage is of one user.
    await open(current, "/usage?by=user_id");
    expect(await page.getByLabel("Action", { exact: true }).and(page.locator("input")).isChecked()).toBe(true);
  });
});

describe("sessions", () => {
  test("of others end here, and this one by signing out", async () => {
    const { key } = await makePerson("page-sessions");
    const other = await visit(browser(), root);
    await signIn(other, key, "/usage");
    await current.context.clearCookies();
    await signIn(current, key, "/usage");
    await open(current, "/sessions");
    await page.getByText("this one").waitFor();
    await press("End");
    await pressInDialog("End");
    await page.getByText("The session has ended.").waitFor();
    await other.page.reload();
    await other.page.getByRole("heading", { name: "Sign in" }).waitFor();
    await other.context.close();
    await press("Sign out");
    await pressInDialog("Sign out");
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
  });
});

test("the audit log names who did what to whom", async () => {
  const name = named("audited");
  await as(masterKey).post("/admin/keys", { body: { name, scope: "search" } });
  await page.reload();
  const row = page.getByRole("row").filter({ hasText: name });
  await row.getByText("Key made").waitFor();
  expect(await row.getByRole("cell").allTextContents()).toEqual(
    expect.arrayContaining([expect.stringContaining("master")]),
  );
});

test("the dashboard shows one user alone, and back everybody", async () => {
  const { key } = await makePerson("page-dashboard");
  await makeStore(key, "Counted");
  await open(current, "/dashboard");
  await page.getByRole("img", { name: /^Requests by day/ }).waitFor();
  // Whoever sends the most requests just now.
  await page
    .getByRole("region", { name: "Users with most requests" })
    .getByRole("button", { name: /^Show only/ })
    .first()
    .click();
  await page.waitForURL(/user_id=/);
  await page.goBack();
  await page.waitForURL((url) => !url.search.includes("user_id"));
});

test("their addresses are for administrators, and ask for nothing when somebody else opens them", async () => {
  const { id, key } = await makePerson("page-no-admin");
  await current.context.clearCookies();
  await signIn(current, key, "/sessions");
  await settled(page);
  const asked = listen(page);
  for (const [path, title] of [
    ["/dashboard", "Dashboard"],
    ["/people", "Users and teams"],
    [`/people/users/${id}`, "Users and teams"],
    ["/keys", "Keys"],
    ["/keys/litellm", "Keys"],
    ["/audit?page=2", "Audit log"],
    ["/health", "Settings and health"],
  ] as const) {
    await open(current, path);
    await page.getByRole("heading", { level: 1, name: title, exact: true }).waitFor();
    await page.getByText("This is for administrators").waitFor();
  }
  expect(new Set(asked)).toEqual(new Set(["GET /v1/me"]));
  await expectAccessible(page);
  await page.getByRole("link", { name: "To the first page" }).click();
  await page.waitForURL(/\/vector-stores$/);
  await settled(page);
});
