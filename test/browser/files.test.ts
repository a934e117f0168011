import { readFile } from "node:fs/promises";
import { beforeAll, expect, jest, test } from "@jest/globals";
import OpenAI from "openai";
import type { Page } from "playwright-core";
import { type Visit, expectAccessible, expectFits, open, resize, settled, signIn, visitEach } from "./browser.js";
import { as, grant, makePerson, makeStore, masterKey, root, upload } from "./people.js";

/** Uploaded files: one's own, and what others may do with them. */

jest.setTimeout(180_000);

let current: Visit;
let page: Page;
let owner: { id: string; key: string };

visitEach(
  () => root,
  (visited) => {
    current = visited;
    ({ page } = visited);
  },
);
beforeAll(async () => {
  owner = await makePerson("page-files");
});

const main = () => page.getByRole("main");
const dialog = () => page.getByRole("dialog");
const row = (text: string) => main().getByRole("row").filter({ hasText: text });
const keep = async (name: string, purpose: "assistants" | "user_data" = "assistants", content = `In ${name}.`) =>
  (await as(owner.key).files.create({ file: await OpenAI.toFile(Buffer.from(content), name), purpose })).id;
const kept = async () => (await as(owner.key).files.list()).data.map(({ filename }) => filename);

test("of one's own are listed, downloaded and deleted, one by one and many at once", async () => {
  await signIn(current, owner.key, "/files");
  await page.getByText("No files yet").waitFor();
  await expectAccessible(page);
  const names = Array.from({ length: 52 }, (_, n) => `paper ${String(n).padStart(2, "0")}.txt`);
  for (const name of names) await keep(name);
  await keep("<i>mine.txt", "user_data", "The words of mine.");
  await main().getByRole("link", { name: "To the vector stores" }).click();
  await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Files" }).click();
  await page.reload();
  await row("paper 51.txt").waitFor();
  expect(await main().getByRole("row").count()).toBe(51);
  await main().getByRole("link", { name: "Next page" }).click();
  await row("paper 00.txt").waitFor();
  await settled(page);
  expect(await main().getByRole("row").count()).toBe(4);

  // All of the last page: one of them fails, says why, and goes the second time.
  await main().getByLabel("Choose all on this page").check();
  await main().getByRole("button", { name: "Delete 3" }).click();
  let refused = 0;
  await page.route(/\/v1\/files\/file-/, async (route) => {
    const refuses = route.request().method() === "DELETE" && (refused += 1) === 2;
    await (refuses ? route.fulfill({ status: 500, headers: { "x-request-id": "req_of_the_file" } }) : route.continue());
  });
  const confirm = dialog().getByLabel(/confirm/);
  await confirm.fill("delete 3 files");
  await dialog()
    .getByRole("button", { name: /^Delete 3/ })
    .click();
  await dialog().getByText("Done: 2. Not done: 1, for the reasons below.").waitFor();
  await dialog().getByText("req_of_the_file").waitFor();
  expect(await dialog().getByRole("listitem").count()).toBe(1);
  await expectAccessible(page, 10);
  await dialog().getByRole("button", { name: "Delete", exact: true }).click();
  await page.getByText("The file was deleted.").waitFor();
  current.faults = current.faults.filter((fault) => !fault.includes("status of 500"));
  expect((await kept()).length).toBe(50);

  // With the last page empty, the first is shown.
  await row("paper 51.txt").waitFor();
  await main().getByLabel("Purpose").selectOption("user_data");
  await page.waitForURL(/purpose=user_data/);
  await row("paper 51.txt").waitFor({ state: "detached" });
  const loading = page.waitForEvent("download");
  await row("<i>mine.txt").getByRole("link", { name: "Download <i>mine.txt" }).click();
  expect(await readFile(await (await loading).path(), "utf8")).toBe("The words of mine.");
  await resize(page, 390);
  await expectFits(page);
  await row("<i>mine.txt").getByRole("button", { name: "Delete <i>mine.txt" }).click();
  await dialog().getByRole("button", { name: "Delete", exact: true }).click();
  await page.getByText("No file has this purpose").waitFor();
  expect(await kept()).not.toContain("<i>mine.txt");
});

test("that were uploaded before are added to a vector store, stay when they leave it, and count", async () => {
  await as(masterKey).put(`/admin/limits/user:${owner.id}`, { body: { bytes: 5_000_000, vector_stores: 20 } });
  const store = await makeStore(owner.key, "Second use");
  await keep("kept.txt", "assistants", "Kept words.");
  await signIn(current, owner.key, `/vector-stores/${store}/files`);
  await settled(page);
  await main().getByRole("button", { name: "Add an uploaded file" }).click();
  await dialog().getByLabel("kept.txt").check();
  await expectAccessible(page, 10);
  await dialog().getByRole("button", { name: "Add", exact: true }).click();
  await page.getByText("1 file is being added.").waitFor();
  await row("kept.txt").getByText("Completed").waitFor();

  // Its upload stays, and the page says so; or it goes with it.
  const remove = () => main().getByRole("button", { name: "Remove kept.txt" }).click();
  await remove();
  await dialog().getByText("The file that you uploaded stays under “Files”").waitFor();
  await dialog().getByRole("button", { name: "Remove", exact: true }).click();
  await row("kept.txt").waitFor({ state: "detached" });
  expect(await kept()).toContain("kept.txt");
  await open(current, "/sessions");
  const limits = page.getByRole("region", { name: "Your limits" });
  expect(await limits.getByText(/ of 5 MB$/).textContent()).toMatch(/^[\d.,]+ (byte|kB)/);
  expect(await limits.getByText(/ of 20$/).textContent()).toBe("1 of 20");
});

test("of somebody else cannot be downloaded, read again or deleted, and the page says why", async () => {
  const store = await makeStore(owner.key, "Shared papers");
  const writer = await makePerson("page-files-writer");
  await grant(owner.key, store, `user:${writer.id}`, "write");
  const file = await upload(owner.key, store, "theirs.txt", "Words of the owner.");
  const broken = await keep("broken.pdf", "assistants", "%PDF-1.7 nothing of it is a PDF");
  await as(owner.key).vectorStores.files.createAndPoll(store, { file_id: broken }, { pollIntervalMs: 100 });
  await signIn(current, writer.key, `/vector-stores/${store}/files`);
  // In people's language, with what the service says.
  await row("broken.pdf").getByText("The file is empty, damaged,").waitFor();
  expect(await row("broken.pdf").locator('[lang="en"]').textContent()).toContain("PDF");
  await main().getByRole("button", { name: "Read broken.pdf again" }).click();
  const failed = page.getByRole("region", { name: "What has failed" });
  await failed.getByText("broken.pdf was uploaded by somebody else").waitFor();
  await failed.getByRole("button", { name: "Close" }).click();
  await main().getByRole("link", { name: "theirs.txt" }).click();
  await page.getByText("only they or an administrator can download the original").waitFor();
  await page.getByText("Words of the owner.").waitFor();
  expect(await main().getByRole("link", { name: "Download the original" }).count()).toBe(0);
  await page.goBack();
  await main().getByRole("button", { name: "Remove theirs.txt" }).click();
  await dialog().getByText("It stays theirs").waitFor();
  expect(await dialog().getByRole("checkbox").count()).toBe(0);
  await dialog().getByRole("button", { name: "Remove", exact: true }).click();
  await row("theirs.txt").waitFor({ state: "detached" });
  expect((await as(owner.key).files.retrieve(file)).filename).toBe("theirs.txt");
  // Chromium writes each answer of 404 into the console.
  current.faults = current.faults.filter((fault) => !fault.includes("status of 404"));

  await current.context.clearCookies();
  await signIn(current, owner.key, `/vector-stores/${store}/files/${broken}`);
  const loading = page.waitForEvent("download");
  await main().getByRole("link", { name: "Download the original" }).click();
  expect((await loading).suggestedFilename()).toBe("broken.pdf");
});
