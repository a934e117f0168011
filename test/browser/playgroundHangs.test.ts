import { beforeAll, jest, expect, test } from "@jest/globals";
import type { Page } from "playwright-core";
import { type Visit, open, settled, signIn, visitEach } from "./browser.js";
import { addRow, makePerson, makeStore, root } from "./people.js";

jest.setTimeout(120_000);

let current: Visit;
let page: Page;
let key: string;
let within: string;

beforeAll(async () => {
  ({ key } = await makePerson("page-hanging"));
  const store = await makeStore(key, "Hanging");
  await addRow(key, store, "Returns are possible within 30 days of purchase.");
  within = `/vector-stores/${store}`;
});
visitEach(
  () => root,
  async (visited) => {
    current = visited;
    ({ page } = visited);
    await signIn(visited, key, `${within}/search`);
    await settled(page);
  },
);

const press = (name: string) => page.getByRole("main").getByRole("button", { name, exact: true }).click();

test("a search and a question that no answer comes for say so after a while, can be cancelled, and end by themselves", async () => {
  const lost = /\/(search|rag)$/;
  const pressAndAsk = (name: string) => Promise.all([page.waitForRequest(lost), press(name)]);
  await page.clock.install();
  await page.route(lost, () => undefined);
  await page.getByRole("main").getByLabel("Query", { exact: true }).fill("returns");
  await pressAndAsk("Search");
  const late = page.getByRole("status").filter({ hasText: "This takes longer than usual." });
  await page.clock.runFor(7_000);
  expect(await late.count()).toBe(0);
  await page.clock.runFor(1_500);
  await late.waitFor();
  await press("Cancel");
  await page.getByText("The search was cancelled.").waitFor();
  expect(await late.count()).toBe(0);
  await pressAndAsk("Try again");
  await page.clock.runFor(90_500);
  const alert = page.getByRole("alert");
  await alert.getByText("No answer came for a long time").waitFor();
  await page.unroute(lost);
  await alert.getByRole("button", { name: "Try again" }).click();
  await page.getByRole("region", { name: "Results" }).getByRole("article").waitFor();
  await alert.waitFor({ state: "detached" });

  await open(current, `${within}/ask?q=returns`);
  await page.route(lost, () => undefined);
  await pressAndAsk("Ask");
  await page.clock.runFor(8_500);
  await late.waitFor();
  await page.clock.runFor(82_000);
  await alert.getByText("No answer came for a long time").waitFor();
  current.faults = current.faults.filter((fault) => !fault.includes("net::ERR_"));
});
