import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import type { Page } from "playwright-core";
import { type HalfOpenProxy, startHalfOpenProxy } from "../support/halfOpenProxy.js";
import { type Visit, focusOn, open, settled, signIn, visitEach } from "./browser.js";
import { addRow, as, makePerson, makeStore, masterKey, root, upload } from "./people.js";

/** The two tabs that ask a vector store something: search and ask. */

jest.setTimeout(120_000);

let current: Visit;
let page: Page;
let key: string;
let within: string;
/** Between the browser and the service. */
let network: HalfOpenProxy;
let through: string;

beforeAll(async () => {
  ({ key } = await makePerson("page-playground"));
  const store = await makeStore(key, "Playground");
  await upload(key, store, "returns.txt", "Returns are possible within 30 days of purchase.");
  await upload(key, store, "shipping.txt", "Shipping is free for orders over $50.");
  await addRow(key, store, "The shop opens at nine.", { topic: "hours", year: 2024 });
  within = `/vector-stores/${store}`;
  network = await startHalfOpenProxy(root);
  through = network.url.replace(/\/$/, "");
});
afterAll(() => network.close());
visitEach(
  () => through,
  async (visited) => {
    current = visited;
    ({ page } = visited);
    await signIn(visited, key, `${within}/search`);
    await settled(page);
  },
);

const dialog = () => page.getByRole("dialog");
const results = () => page.getByRole("region", { name: "Results" }).getByRole("article");
const press = (name: string) => page.getByRole("main").getByRole("button", { name, exact: true }).click();
const field = (name: string) =>
  page.getByRole("main").getByLabel(name, { exact: true }).and(page.locator("input, textarea, select"));

/** The searches that the page has sent. */
function watchSearches(): unknown[] {
  const sent: unknown[] = [];
  page.on("request", (request) => {
    if (request.method() === "POST" && /\/(search|rag)$/.test(request.url())) sent.push(request.postDataJSON());
  });
  return sent;
}

describe("search", () => {
  test("with the keyboard alone, in every way: the order is explained, and a hit opens in its document", async () => {
    const sent = watchSearches();
    await field("Query").focus();
    await page.keyboard.type("returns possible");
    // An input method ends a word with Enter, too.
    const wasLeftAlone = await page.evaluate(
      "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', isComposing: true, bubbles: true, cancelable: true }))",
    );
    expect({ wasLeftAlone, sent }).toEqual({ wasLeftAlone: true, sent: [] });
    await page.keyboard.press("Enter");
    await results().first().getByText("Returns are possible").waitFor();
    await page
      .getByRole("status")
      .filter({ hasText: /^3 results · answered after .+ \(database .+, models .+, service .+\)$/ })
      .waitFor();

    await field("Mode").selectOption("hybrid");
    await field("Results").fill("two");
    expect(await field("Results").getAttribute("aria-invalid")).toBe("true");
    await field("Results").fill("2");
    await field("Recall").selectOption("exact");
    await field("Rerank").selectOption("true");
    await field("Rerank model").selectOption("rerank");
    await field("Query").focus();
    await page.keyboard.press("Enter");
    await page.waitForURL(/mode=hybrid/);
    await results().first().getByText("Before reranking").waitFor();
    expect(await results().count()).toBe(2);
    for (const part of ["Score", "Vector rank", "Keyword rank"])
      expect(await results().getByText(part, { exact: true }).count()).toBeGreaterThan(0);
    expect(sent.at(-1)).toEqual({
      query: "returns possible",
      max_num_results: 2,
      ranking_options: { search_mode: "hybrid", recall: "exact", rerank: true, rerank_model: "rerank" },
    });

    // Half a word is no search yet, and is kept while a hit is looked at.
    await field("Query").fill("half a wo");
    const opener = results()
      .first()
      .getByRole("button", { name: /^Show in its document/ });
    await opener.focus();
    await page.keyboard.press("Enter");
    await dialog().getByRole("listitem").filter({ hasText: "found here" }).getByText("Returns are").waitFor();
    const [asked, address] = [sent.length, page.url()];
    await page.keyboard.press("Escape");
    await dialog().waitFor({ state: "detached" });
    await focusOn(opener);
    expect(await field("Query").inputValue()).toBe("half a wo");
    expect(sent.length).toBe(asked);
    // The button back does not open it again.
    await page.waitForURL((url) => !url.search.includes("hit="));
    await page.goBack();
    await page.waitForURL((url) => !url.search.includes("mode=hybrid"));
    expect(await dialog().count()).toBe(0);
    await page.goForward();
    await page.waitForURL(/mode=hybrid/);
    await page.goto(address);
    await dialog().getByRole("link", { name: "To the page of the file" }).click();
    await page.waitForURL(/\/files\/file-\w+\?chunk=/);
    await page.getByText("found here").waitFor();
    await page.goBack();
    await page.waitForURL(/hit=/);
    for (let steps = 0; !(await page.getByText("3 results").isVisible()); steps += 1) {
      expect(steps).toBeLessThan(6);
      await page.goBack();
      await settled(page);
    }
    expect(await field("Results").inputValue()).toBe("10");
    expect(await field("Mode").inputValue()).toBe("");
  });

  test("with a filter: nothing that is unfinished is sent, and JSON says what the form cannot", async () => {
    const sent = watchSearches();
    await field("Query").fill("shop");
    await press("Add a condition");
    await press("Search");
    const condition = page.getByRole("group", { name: "Condition 1" });
    await condition.getByText("Enter a key.").waitFor();
    await condition.getByText("Enter a value.").waitFor();
    await focusOn(condition.getByLabel("Key"));
    await condition.getByLabel("Key").fill("year");
    await condition.getByLabel("Type").selectOption("number");
    await condition.getByLabel("Comparison").selectOption("gte");
    await condition.getByLabel("Value").fill("2020s");
    await field("Query").press("Enter");
    await condition.getByText("Not a number.").waitFor();
    expect({ sent, search: new URL(page.url()).search }).toEqual({ sent: [], search: "" });
    await condition.getByLabel("Value").fill("2020");
    await press("Search");
    await results().getByText("The shop opens at nine.").waitFor();
    const year = { type: "gte", key: "year", value: 2020 };
    expect(sent).toEqual([{ query: "shop", max_num_results: 10, filters: year }]);

    await press("Write it as JSON");
    expect(JSON.parse(await field("Filter as JSON").inputValue())).toEqual(year);
    await field("Filter as JSON").fill("{");
    await press("Search");
    expect(sent.length).toBe(1);
    const other = { type: "in", key: "topic", value: ["hours", "prices"] };
    await field("Filter as JSON").fill(JSON.stringify(other));
    await press("Search");
    await page.waitForURL(/prices/);
    await results().getByText("The shop opens at nine.").waitFor();
    expect(await page.getByRole("button", { name: "Show it as a form" }).getAttribute("title")).toBe(
      "Only JSON can say this filter.",
    );
    // A link with a filter that is broken must not search without one.
    const asked = sent.length;
    await open(current, `${within}/search?q=shop&filters=%7B`);
    await page.getByText(/^This is not the JSON that is needed/).waitFor();
    expect(sent.length).toBe(asked);
  });

  test("is copied as code that finds the same", async () => {
    await current.context.grantPermissions(["clipboard-read", "clipboard-write"]);
    await open(current, `${within}/search?q=it's+free&k=2&mode=vector`);
    const shown = await results().locator(".font-mono").allTextContents();
    const copied = async (language: string) => {
      await press(language);
      await press(`Copy ${language}`);
      await page.getByText(`Copied: ${language}`).waitFor();
      return page.evaluate<string>("navigator.clipboard.readText()");
    };
    const curl = await promisify(execFile)("bash", ["-c", await copied("curl")], {
      env: { ...process.env, VECTOR_STORE_API_KEY: key },
    });
    const found = JSON.parse(curl.stdout) as { data: { id: string }[] };
    expect(found.data.map(({ id }) => id)).toEqual(shown);
    const python = await copied("Python (openai)");
    expect(python).toContain(`base_url="${through}/v1"`);
    expect(python).toContain('ranking_options={"search_mode": "vector"}');
    expect(await copied("TypeScript (openai)")).toContain('query: "it\'s free"');
  });
});

describe("ask", () => {
  test("the answer comes piece by piece, and its citations open their source", async () => {
    await open(current, `${within}/ask`);
    await field("Question").fill("Until when are returns possible?");
    await field("Passages").fill("1");
    await page.keyboard.press("Tab");
    await field("Question").press("Enter");
    const answer = page.getByRole("region", { name: "Answer" });
    await answer.getByText("Returns are possible within 30 days of purchase.").waitFor();
    await answer.getByText("To: Until when are returns possible?").waitFor();
    await page.getByRole("region", { name: "Sources" }).getByText("cited").waitFor();
    const citation = answer.getByRole("button", { name: "Source 1: show its text" });
    await citation.click();
    await dialog().getByText("found here").waitFor();
    await page.keyboard.press("Escape");
    await focusOn(citation);

    await field("Chat model").selectOption("endless-chat");
    await press("Ask");
    await answer.getByText("and on and on").waitFor();
    await press("Stop");
    await answer.getByText("Stopped.").waitFor();
    await answer.getByText("and on and on").waitFor();

    // Each question has its own answer; where there is none, the page says so.
    await field("Question").fill("Is shipping free?");
    await press("Ask");
    await answer.getByText("To: Is shipping free?").waitFor();
    await press("Stop");
    await page.goBack();
    await page.waitForURL(/Until\+when/);
    await answer.getByText("To: Until when are returns possible?").waitFor();
    await page.goBack();
    await answer.getByText("Returns are possible within 30 days of purchase.").waitFor();
    expect(await field("Question").inputValue()).toBe("Until when are returns possible?");
    await page.reload();
    await page.getByText("Answers are not kept").waitFor();
    expect(await answer.count()).toBe(0);
  });

  test("an answer that breaks off is kept, says why, and can be asked for again", async () => {
    await open(current, `${within}/ask?q=returns&model=breaking-chat`);
    await press("Ask");
    const answer = page.getByRole("region", { name: "Answer" });
    const alert = answer.getByRole("alert");
    await alert.waitFor();
    await answer.getByText("Returns are possible").waitFor();
    expect(await alert.textContent()).not.toContain("Status 200");
    expect(current.faults).toEqual([]);

    await field("Chat model").selectOption("endless-chat");
    await press("Ask");
    await answer.getByText("and on and on").waitFor();
    network.cut();
    await alert.getByText("The connection was lost in the middle of the answer.").waitFor();
    await answer.getByText("and on and on").waitFor();
    await alert.getByRole("button", { name: "Try again" }).click();
    await alert.waitFor({ state: "detached" });
    await answer.getByText("and on and on").waitFor();
    await press("Stop");
    current.faults = current.faults.filter((fault) => !fault.includes("net::ERR_"));
  });

  test("once the session has ended, it asks to sign in, and the question is still there", async () => {
    await open(current, `${within}/ask`);
    const { session } = await page.evaluate<{ session: { id: string } }>(
      "fetch('/v1/me').then((answer) => answer.json())",
    );
    await as(masterKey).delete(`/admin/sessions/${session.id}`);
    await field("Question").fill("Until when?");
    await press("Ask");
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page.getByLabel("Key", { exact: true }).fill(key);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Playground" }).waitFor();
    expect(await field("Question").inputValue()).toBe("Until when?");
    current.faults = current.faults.filter((fault) => !fault.includes("status of 401"));
  });
});
