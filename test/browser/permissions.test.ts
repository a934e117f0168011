import { beforeAll, beforeEach, expect, jest, test } from "@jest/globals";
import type { Page } from "playwright-core";
import { type Visit, expectAccessible, focusOn, open, settled, signIn, visitEach } from "./browser.js";
import { as, makeKey, makePerson, makeStore, manage, masterKey, named, root } from "./people.js";

jest.setTimeout(120_000);

let current: Visit;
let page: Page;
let owner: { id: string; key: string };
let friend: { id: string; key: string; email: string };
let team: { id: string; key: string };
let store: string;

beforeAll(async () => {
  owner = await makePerson("page-sharing");
  const [id, email] = [named("page-friend-of-rows"), `${named("friend")}@example.com`];
  await manage("/user/new", { user_id: id, user_email: email, user_role: "internal_user", auto_create_key: false });
  friend = { id, email, key: await makeKey({ user_id: id }) };
  const { team_id: teamId } = await manage<{ team_id: string }>("/team/new", { team_alias: named("Page Readers") });
  team = { id: teamId, key: await makeKey({ team_id: teamId }) };
});
beforeEach(async () => {
  store = await makeStore(owner.key, "Shared");
});
visitEach(
  () => root,
  async (visited) => {
    current = visited;
    ({ page } = visited);
    await signIn(visited, masterKey, `/vector-stores/${store}/permissions`);
    await settled(page);
  },
);

const main = () => page.getByRole("main");
const dialog = () => page.getByRole("dialog");
const focused = () => page.evaluate<string>("document.activeElement.textContent.trim()");
const keys = async (...names: string[]) => {
  for (const name of names) await page.keyboard.press(name);
};
const levelFor = async (key: string) => {
  const answer = await fetch(`${root}/v1/vector_stores/${store}/permissions/me`, {
    headers: { authorization: `Bearer ${key}` },
  });
  return answer.status === 200 ? ((await answer.json()) as { permission: string }).permission : answer.status;
};
const row = (text: string) => main().getByRole("row").filter({ hasText: text });

test("are granted with the keyboard alone to a user, who is found by their email", async () => {
  await page.getByText("Nobody else may use it").waitFor();
  await main().getByRole("button", { name: "Grant permission" }).focus();
  await keys("Enter");
  await dialog().waitFor();
  // Past the button that closes it and the kind.
  await keys("Tab", "Tab");
  const searches: string[] = [];
  page.on("request", (request) => {
    if (request.url().includes("/v1/admin/users?")) searches.push(request.url());
  });
  await page.keyboard.type(friend.email.slice(0, -4));
  await dialog().getByText("1 found").waitFor({ state: "attached" });
  const submit = dialog().getByRole("button", { name: /^Grant/ });
  expect(await submit.getAttribute("aria-disabled")).toBe("true");
  const [list, field] = [
    dialog().getByRole("listbox"),
    dialog().getByRole("combobox", { name: "Search users by email" }),
  ];
  const marked = () => list.getByRole("option", { selected: true }).textContent();
  expect(await marked()).toContain(friend.email);
  // Not one for each letter, while nothing says how fast they come.
  expect(searches.length).toBeLessThan(friend.email.length / 3);
  await expectAccessible(page, 10);
  await keys("ArrowDown");
  expect(await marked()).toContain("as the ID");
  expect(await field.getAttribute("aria-activedescendant")).toBe(
    await list.getByRole("option").last().getAttribute("id"),
  );
  // The first Escape closes the list, and only a second one would close the dialog.
  await keys("Escape");
  await list.waitFor({ state: "detached" });
  await keys("ArrowDown", "ArrowDown", "Enter");
  await dialog().getByText(`This is ${friend.id}`).waitFor();
  expect(await field.inputValue()).toBe(friend.email);
  await keys("Tab", "ArrowDown");
  await dialog().getByText("Also add and remove files and rows.").waitFor();
  await keys("Tab", "Tab", "Enter");
  await page.getByText(`${friend.email} may now: read and write.`).waitFor();
  await row(`user:${friend.id}`).getByText(friend.email, { exact: true }).waitFor();
  expect([await focused(), await levelFor(friend.key)]).toEqual(["Grant permission", "write"]);
});

test("are granted to a team and to everyone, changed in their place, and revoked", async () => {
  const give = main().getByRole("button", { name: "Grant permission" });
  await give.click();
  await dialog().getByLabel("To", { exact: true }).selectOption("team");
  await dialog().getByLabel("Search teams by name").fill(named("Page Readers").slice(0, -2));
  await dialog()
    .getByRole("option", { name: named("Page Readers") })
    .click();
  await dialog().getByRole("button", { name: "Grant", exact: true }).click();
  await row(`team:${team.id}`).waitFor();
  expect([await levelFor(team.key), await levelFor(friend.key)]).toEqual(["read", 404]);

  await give.click();
  await dialog().getByLabel("To", { exact: true }).selectOption("everyone");
  await dialog().getByRole("button", { name: "Grant", exact: true }).click();
  await row("Everyone").waitFor();
  expect(await levelFor(friend.key)).toBe("read");

  // With the keyboard one passes "read and write" on the way, which must not be granted.
  const given: unknown[] = [];
  page.on("request", (request) => {
    if (request.method() === "PUT") given.push(request.postDataJSON());
  });
  const level = main().getByLabel(`What ${named("Page Readers")} may do`, { exact: true });
  await level.focus();
  await keys("ArrowDown", "ArrowDown", "Tab");
  await focusOn(main().getByRole("button", { name: `Change what ${named("Page Readers")} may do` }));
  // A change that fails stays on the screen with what the log calls it, and is tried again from there.
  const lost = /\/permissions\/team/;
  await page.route(lost, (route) => route.fulfill({ status: 500, headers: { "x-request-id": "req_of_the_level" } }), {
    times: 1,
  });
  await keys("Enter");
  const failed = page.getByRole("region", { name: "What has failed" });
  await failed.getByText("req_of_the_level").waitFor();
  await expectAccessible(page);
  expect(await levelFor(team.key)).toBe("read");
  await failed.getByRole("button", { name: "Try again" }).click();
  current.faults = current.faults.filter((fault) => !fault.includes("status of 500"));
  await page.getByText(`${named("Page Readers")} may now: manage.`).waitFor();
  expect(given).toEqual([{ permission: "admin" }, { permission: "admin" }]);
  expect(await levelFor(team.key)).toBe("admin");

  await main().getByRole("button", { name: "Revoke the permission of everyone" }).click();
  await dialog().getByRole("button", { name: "Revoke", exact: true }).click();
  await page.getByText("The permission of everyone was revoked.").waitFor();
  await dialog().waitFor({ state: "detached" });
  expect(await row("Everyone").count()).toBe(0);
  expect([await levelFor(friend.key), await levelFor(team.key)]).toEqual([404, "admin"]);
});

test("the store is given to nobody while nobody was chosen", async () => {
  await main().getByRole("button", { name: "Transfer ownership" }).click();
  await dialog()
    .getByLabel(/confirm/)
    .fill("Shared");
  const give = dialog().getByRole("button", { name: /^Transfer ownership/ });
  expect(await give.getAttribute("title")).toBe("Say to whom first.");
  await dialog().getByLabel("Search users by email").fill(friend.email);
  await dialog().getByRole("option", { name: friend.id }).click();
  await give.click();
  await page.getByText(`It now belongs to ${friend.email}.`).waitFor();
});

test("are given by their owner by ID, and shown to others with the reason why they cannot", async () => {
  const enter = async (key: string) => {
    await current.context.clearCookies();
    await signIn(current, key, "/sessions");
    await open(current, `/vector-stores/${store}/permissions`);
  };
  await enter(owner.key);
  await page.getByText("You may do this with it: manage.").waitFor();
  await main().getByRole("button", { name: "Grant permission" }).click();
  await dialog().getByLabel("ID of the user").fill(friend.id);
  await dialog().getByRole("button", { name: "Grant", exact: true }).click();
  await row(`user:${friend.id}`).waitFor();

  const viewer = await makePerson("page-sharing-viewer", "proxy_admin_viewer");
  const change = [/^Grant permission/, /^Transfer ownership/];
  for (const [key, shown, why, names] of [
    [friend.key, "Who else may use it is shown to those", "You may only do this here: read.", change],
    [viewer.key, `user:${friend.id}`, "Your key may not change vector stores.", [...change, /^Revoke the permission/]],
  ] as const) {
    await enter(key);
    await main().getByText(shown).waitFor();
    for (const name of names) {
      const button = main().getByRole("button", { name });
      expect({ name, why: await button.getAttribute("title") }).toEqual({ name, why });
      await button.click({ force: true });
    }
    expect([await dialog().count(), await main().getByRole("combobox").count()]).toEqual([0, 0]);
  }
  expect((await as(owner.key).vectorStores.retrieve(store)).id).toBe(store);
});
