import { afterAll, beforeAll, expect, jest, test } from "@jest/globals";
import type { Page } from "playwright-core";
import { marked } from "../../ui/src/text/marked.js";
import { type Program, type ServerProcess, compileProgram } from "../support/serverProcess.js";
import { type Visit, open, resize, settled, signIn, visitEach } from "./browser.js";

/** The page on the embedded database, with a master key only and no proxy. */

jest.setTimeout(180_000);

const master = "sk-master-of-the-embedded-one";
const settings = { LITELLM_MASTER_KEY: master, EMBEDDING__DIMENSIONS: "256" };

let program: Program;
let server: ServerProcess;
let root: string;
let current: Visit;
let page: Page;

beforeAll(async () => {
  program = await compileProgram();
  const started = await program.start(settings);
  [server, root] = [started, started.url];
});
afterAll(() => program.remove());
visitEach(
  () => root,
  (visited) => {
    current = visited;
    ({ page } = visited);
  },
);

const press = (name: string) => page.getByRole("button", { name, exact: true }).click();
const dialog = () => page.getByRole("dialog");

/** @returns the path of the new store's page */
async function createStore(name: string): Promise<string> {
  await open(current, "/vector-stores");
  await page.getByRole("button", { name: "Create vector store" }).first().click();
  await dialog().getByLabel("Name").fill(name);
  await dialog().getByRole("button", { name: "Create vector store" }).click();
  await page.getByRole("heading", { level: 1, name: marked(name) }).waitFor();
  return new URL(page.url()).pathname.replace(/^\/admin/, "");
}

test("from an empty service to an answer: create, upload, search, delete", async () => {
  await signIn(current, master);
  await page.getByRole("heading", { name: "Dashboard" }).waitFor();
  const path = await createStore("Handbook");
  await page.getByRole("main").getByRole("link", { name: "Files", exact: true }).click();
  const chooser = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Upload files" }).first().click();
  await (
    await chooser
  ).setFiles([
    { name: "returns.txt", mimeType: "text/plain", buffer: Buffer.from("Returns are possible within thirty days.") },
    { name: "broken.pdf", mimeType: "application/pdf", buffer: Buffer.from("%PDF-1.7 nothing of it is a PDF") },
  ]);
  await page
    .getByRole("row", { name: /returns\.txt/ })
    .getByText("Completed")
    .waitFor();
  await page
    .getByRole("row", { name: /broken\.pdf/ })
    .getByText("Failed")
    .waitFor();
  await open(current, `${path}/search?q=returns+within+thirty+days`);
  await page.getByText("Returns are possible within thirty days.").first().waitFor();
  await open(current, `${path}/settings`);
  await page
    .getByRole("button", { name: /^Delete/ })
    .first()
    .click();
  await dialog()
    .getByLabel(/confirm/)
    .fill("Handbook");
  await dialog()
    .getByRole("button", { name: /^Delete/ })
    .click();
  await page.getByRole("heading", { level: 1, name: "Vector stores" }).waitFor();
});

test("markup, bidi marks and endless words are text, and the layout holds", async () => {
  await signIn(current, master);
  const name = `<img src=x onerror="document.title='run'"> \u202egnp.exe <script>alert(1)</script>`;
  const path = await createStore(name);
  const row = { content: `<b onclick=alert(1)>bold</b> ${"w".repeat(100_000)}`, metadata: { "<i>": "\u202e<u>x" } };
  const answer = await page.request.post(`/v1${path.replace("vector-stores", "vector_stores")}/embeddings`, {
    headers: { authorization: `Bearer ${master}` },
    data: row,
  });
  expect(answer.status()).toBe(200);
  for (const tab of ["", "/rows", "/search?q=bold", "/settings", "/permissions"]) {
    await open(current, path + tab);
    expect(await page.getByRole("heading", { level: 1 }).textContent()).toContain("<script>alert(1)</script>");
    const [width, screen, runs] = await page.evaluate<[number, number, boolean]>(
      "[document.documentElement.scrollWidth, innerWidth, document.title === 'run']",
    );
    expect({ tab, runs, fits: width <= screen }).toEqual({ tab, runs: false, fits: true });
  }
});

test("stays signed in when the window is looked at again later", async () => {
  await page.clock.install();
  await signIn(current, master, "/vector-stores");
  await settled(page);
  await page.clock.fastForward(120_000);
  const asked = page.waitForResponse(/\/v1\/me$/);
  await page.evaluate("document.dispatchEvent(new Event('visibilitychange', { bubbles: true }))");
  await asked;
  await settled(page);
  expect(await page.getByRole("button", { name: "Sign out" }).count()).toBe(1);
});

test("a service that was away: the page says so, and goes on when it is back", async () => {
  const port = new URL(root).port;
  await signIn(current, master, "/vector-stores");
  await settled(page);
  server.child.kill("SIGTERM");
  await server.exited;
  await page.getByRole("button", { name: "Rows", exact: true }).click();
  await page.getByText("The service does not answer.").waitFor();
  await program.start({ ...settings, PORT: port });
  await press("Try again");
  await page.getByRole("columnheader", { name: "Rows" }).waitFor();
  current.faults = current.faults.filter((fault) => !fault.includes("ERR_CONNECTION"));
});

test("offline: the page says so at once, and nothing that was clicked is done later", async () => {
  await signIn(current, master, "/vector-stores");
  const path = await createStore("Kept");
  await open(current, `${path}/settings`);
  await page
    .getByRole("button", { name: /^Delete/ })
    .first()
    .click();
  await dialog()
    .getByLabel(/confirm/)
    .fill("Kept");
  await current.context.setOffline(true);
  await dialog()
    .getByRole("button", { name: /^Delete/ })
    .click();
  await dialog().getByText("The service does not answer.").waitFor();
  await dialog().getByRole("button", { name: "Cancel" }).click();
  await current.context.setOffline(false);
  await open(current, "/vector-stores");
  await page.getByRole("link", { name: "Kept" }).waitFor();
  await current.context.setOffline(true);
  await page.getByRole("button", { name: "Rows", exact: true }).click();
  await page.getByText("The service does not answer.").waitFor();
  // It goes on by itself, too.
  await current.context.setOffline(false);
  await page.getByRole("link", { name: "Kept" }).waitFor();
  current.faults = current.faults.filter((fault) => !fault.includes("ERR_INTERNET_DISCONNECTED"));
});

test("scripts and texts that do not come: the page says so, and loads again", async () => {
  const missing = { status: 404, json: { error: { message: "Unknown request URL", code: "unknown_url" } } };
  for (const part of [/\/assets\/en-[^/]+\.json$/, /\/assets\/index-[^/]+\.js$/]) {
    await page.route(part, (route) => route.fulfill(missing));
    await page.goto("/admin/vector-stores");
    await page.getByText("The page has not loaded.").waitFor();
    await page.unroute(part);
    await page.getByRole("link", { name: /^Load again/ }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    expect(await page.getByText("The page has not loaded.").count()).toBe(0);
  }
  await signIn(current, master, "/vector-stores");
  await settled(page);
  await page.route(/\/assets\/[^/]+\.js$/, (route) => route.fulfill(missing));
  await page.getByRole("link", { name: "Usage" }).click();
  await page.getByRole("alert").getByText("A part of the page could not be loaded.").waitFor();
  expect(await page.getByRole("main").count()).toBe(1);
  await page.unroute(/\/assets\/[^/]+\.js$/);
  await press("Try again");
  await page.getByRole("heading", { level: 1, name: "Usage" }).waitFor();
  current.faults = current.faults.filter(
    (fault) => !/status of 404|texts of the page did not come|dynamically imported module/.test(fault),
  );
});

test("the menu of a phone closes after each choice, also of the page that is shown", async () => {
  await signIn(current, master, "/usage");
  await resize(page, 390);
  for (const name of ["Usage", "Sessions"]) {
    await press("Open the menu");
    await page.getByRole("link", { name }).click();
    await page.getByRole("button", { name: "Open the menu" }).waitFor();
  }
  await page.getByRole("heading", { level: 1, name: "Sessions" }).waitFor();
});
