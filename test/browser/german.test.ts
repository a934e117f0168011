import { beforeAll, expect, jest, test } from "@jest/globals";
import { type Visit, open, signIn, visit, visitEach } from "./browser.js";
import { addRow, makePerson, makeStore, root } from "./people.js";

/** The page in German. */

jest.setTimeout(120_000);

let current: Visit;
let key: string;
let within: string;

beforeAll(async () => {
  ({ key } = await makePerson("page-german"));
  const store = await makeStore(key, "Laden");
  await addRow(key, store, "The shop opens at nine.");
  within = `/vector-stores/${store}`;
});
const browser = visitEach(
  () => root,
  async (visited) => {
    current = visited;
    await signIn(visited, key, "/sessions");
  },
);

test("numbers are as they are written there, in the address as everywhere; what the page says is German", async () => {
  const german = await visit(browser(), root, { locale: "de-DE" });
  await german.context.addCookies(await current.context.cookies());
  const main = german.page.getByRole("main");
  // "1.125" is one number in an address; what is no number there is read as the default.
  await open(german, `${within}/search?q=shop&threshold=0.125&diversity=0.5&k=zehn&mode=psychic&rerank=maybe`);
  await main.getByRole("article").first().waitFor();
  const threshold = main.getByLabel("Kleinste Wertung");
  expect([await threshold.inputValue(), await main.getByRole("textbox", { name: "Ergebnisse" }).inputValue()]).toEqual([
    "0,125",
    "10",
  ]);
  await threshold.fill("1.000");
  await main.getByText("Das können Tausender oder Nachkommastellen sein.").waitFor();
  await threshold.fill("0,25");
  await threshold.press("Enter");
  await german.page.waitForURL(/threshold=0\.25/);
  await open(german, "/vector-stores/vs_nowhere");
  await german.page.getByText("Den Vector Store „vs_nowhere“ gibt es nicht").waitFor();
  await open(german, `${within}/settings`);
  await main.getByLabel("Metadaten").fill('{"a": ');
  await main.getByRole("alert").getByText("Das ist nicht das nötige JSON: es endet zu früh").waitFor();
  await main.getByLabel("Metadaten").fill("");
  await main.getByLabel(/^Tage ohne Benutzung/).fill("400");
  await main
    .getByRole("button", { name: /^Speichern/ })
    .first()
    .click();
  await main
    .locator('[role="alert"][lang="en"], [role="alert"] [lang="en"]')
    .getByText(/at most 365/)
    .first()
    .waitFor();
  expect(german.faults.filter((fault) => !/status of 40[04]/.test(fault))).toEqual([]);
  await german.context.close();
});
