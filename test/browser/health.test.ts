import { describe, expect, jest, test } from "@jest/globals";
import type { Page } from "playwright-core";
import { type Visit, expectAccessible, expectFits, open, settled, signIn, visitEach } from "./browser.js";
import { makePerson, makeStore, masterKey, named, root, upload } from "./people.js";

/** How the service is: on the dashboard, and on the page of settings and health. */

jest.setTimeout(120_000);

let current: Visit;
let page: Page;

visitEach(
  () => root,
  (visited) => {
    current = visited;
    ({ page } = visited);
  },
  { width: 390, scheme: "dark" },
);

const part = (name: string) => page.getByRole("region", { name, exact: true });
/** The value beside a name. */
const fact = (section: string, name: string) =>
  part(section).locator(`div:has(> dt:text-is("${name}")) > dd`).textContent();

interface Status {
  contents: { attached_files: { completed: number }; files: { count: number }; ingestion: { concurrency: number } };
}

describe("the dashboard", () => {
  test("counts files, the queue and sessions; without that answer the rest stays", async () => {
    const store = await makeStore(masterKey, named("Counted"));
    await upload(masterKey, store, "counted.txt", "A counted text.");
    // Other suites add files at the same time: what counts is what this page was told.
    const told = page.waitForResponse((answer) => answer.url().endsWith("/v1/admin/status"));
    await signIn(current, masterKey, "/dashboard");
    await settled(page);
    const { contents } = (await (await told).json()) as Status;
    expect(contents.attached_files.completed).toBeGreaterThan(0);
    expect(await fact("Files of vector stores", "Completed")).toBe(
      contents.attached_files.completed.toLocaleString("en-GB"),
    );
    expect(await fact("Ingestion", "Being read")).toContain(`at most ${contents.ingestion.concurrency} at once`);
    await page.getByRole("link", { name: /^[\d,]+ sessions?$/ }).click();
    await page.getByText("this one").waitFor();

    const fails = { status: 500, json: { error: { message: "no counts today", type: "server_error" } } };
    await page.route("**/v1/admin/status", (route) => route.fulfill(fails));
    await open(current, "/dashboard");
    await page.getByText("no counts today").waitFor();
    await page.getByRole("img", { name: /^Requests by day/ }).waitFor();
    expect(await part("State").getByText("works").count()).toBe(2);
    expect(await part("Ingestion").count()).toBe(0);
    expect(current.faults.every((fault) => fault.includes("status of 500"))).toBe(true);
    current.faults = [];
    await page.unroute("**/v1/admin/status");
    await page.getByRole("button", { name: "Try again" }).click();
    await part("Ingestion").waitFor();
  });
});

describe("settings and health", () => {
  test("the doctor says what is wrong and what to do; the probe tries the model", async () => {
    await signIn(current, masterKey, "/health");
    await settled(page);
    const doctor = part("Doctor");
    await doctor.getByText("What to do:").first().waitFor();
    const proxy = doctor.getByRole("region", { name: "Proxy and models" });
    expect(await proxy.getByText("embedding", { exact: true }).count()).toBe(0);
    await doctor.getByRole("button", { name: "Check with the probe" }).click();
    await doctor.getByText(/, with the probe\.$/).waitFor();
    const quiet = proxy.getByText("embedding", { exact: true });
    expect(await quiet.isVisible()).toBe(false);
    await proxy.getByText(/checks are fine$/).focus();
    await page.keyboard.press("Enter");
    await quiet.waitFor();
    await proxy.getByText(/answered 384 numbers/).waitFor();
    await expectAccessible(page);
    await expectFits(page);
    await doctor.getByRole("button", { name: "Check again" }).click();
    await doctor.getByText(/, without the probe\.$/).waitFor();
  });

  test("settings are searched in the address, and no secret is among them", async () => {
    await signIn(current, masterKey, "/health");
    await settled(page);
    const table = part("Settings").getByRole("table");
    expect(await page.content()).not.toContain(masterKey);
    await page.getByLabel("Search by name or value").pressSequentially("embedding__", { delay: 20 });
    await page.waitForURL(/setting=embedding__$/);
    await page.getByLabel("Only what the environment sets").check();
    await page.waitForURL(/given=yes/);
    await page.reload();
    await settled(page);
    const names = await table.locator("code").allTextContents();
    expect(names).toContain("EMBEDDING__MODEL");
    expect(names.every((name) => name.startsWith("EMBEDDING__"))).toBe(true);
    expect(names).not.toContain("EMBEDDING__TIMEOUT_SECONDS");
    expect(await page.getByLabel("Search by name or value").inputValue()).toBe("embedding__");
    await page.goBack();
    await table.getByText("EMBEDDING__TIMEOUT_SECONDS").waitFor();
    await page.getByLabel("Search by name or value").fill("master_key");
    await table.getByRole("row", { name: /LITELLM_MASTER_KEY secret, set environment/ }).waitFor();
    await page.getByLabel("Search by name or value").fill("no such setting");
    await page.getByRole("button", { name: "Show all" }).click();
    await table.getByText("DATABASE_URL").waitFor();
    expect(new URL(page.url()).search).toBe("");
  });

  test("a viewer reads both, but may not spend on a probe", async () => {
    const { key } = await makePerson("page-viewer", "proxy_admin_viewer");
    await signIn(current, key, "/health");
    await settled(page);
    await part("Doctor").getByText("What to do:").first().waitFor();
    await part("Settings").getByText("DATABASE_URL").waitFor();
    const probe = part("Doctor").getByRole("button", { name: /^Check with the probe/ });
    expect(await probe.getAttribute("aria-disabled")).toBe("true");
    expect(await probe.textContent()).toContain("may only look");
  });
});
