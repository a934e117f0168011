import { mkdirSync } from "node:fs";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "@jest/globals";
import axe from "axe-core";
import type { Browser, BrowserContext, Locator, Page } from "playwright-core";
import { openBrowser } from "../support/chromium.js";

/** The web page in Debian's Chromium. `.ci/run` starts the servers that it talks to. */

/** Of the screen, in CSS pixels. */
const height = 900;

/** Screenshots of the run; not committed. */
const shots = "coverage/page";

export interface Visit {
  context: BrowserContext;
  page: Page;
  /** What must not happen: errors in the console, reports of the content policy, requests to other servers. */
  faults: string[];
}

interface Looks {
  scheme?: "light" | "dark";
  width?: number;
  locale?: string;
}

/** Opens the page as a new person would: without cookies. @param root of the service, without a slash at the end */
export async function visit(browser: Browser, root: string, looks: Looks = {}): Promise<Visit> {
  const { scheme = "light", width = 1440, locale = "en-GB" } = looks;
  const context = await browser.newContext({
    baseURL: root,
    colorScheme: scheme,
    viewport: { width, height },
    locale,
    reducedMotion: "reduce",
  });
  // The console does not say which resource the policy has refused.
  await context.addInitScript(
    "addEventListener('securitypolicyviolation', (e) => console.error('policy', e.violatedDirective, e.blockedURI, e.sample))",
  );
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) faults.push(message.text());
  });
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.origin !== new URL(root).origin && !["data:", "blob:"].includes(url.protocol)) faults.push(url.href);
  });
  page.setDefaultTimeout(20_000);
  return { context, page, faults };
}

/**
 * Opens the page before each test of a file, and closes it afterwards: without a fault.
 * @param begin what each test starts from; a test reads its visit from there
 * @returns the browser, once the tests run
 */
export function visitEach(
  root: () => string,
  begin: (visited: Visit) => Promise<void> | void,
  looks: Looks = {},
): () => Browser {
  let browser: Browser;
  let current: Visit;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    current = await visit(browser, root(), looks);
    await begin(current);
  });
  afterEach(async () => {
    await current.context.close();
    expect(current.faults).toEqual([]);
  });
  return () => browser;
}

/** @param path within the page, to which signing in leads */
export async function signIn({ page }: Visit, key: string, path = "/"): Promise<void> {
  await page.goto(`/admin${path}`);
  const field = page.locator("input[type=password]");
  await field.fill(key);
  await page.getByRole("button", { name: "Sign in" }).click();
  await field.waitFor({ state: "detached" });
}

/** Opens a page and waits until it shows what it has asked for. */
export async function open({ page }: Visit, path: string): Promise<void> {
  await page.goto(`/admin${path}`);
  await settled(page);
}

/** Waits until nothing is loading. */
export async function settled(page: Page): Promise<void> {
  await page.getByRole("heading", { level: 1 }).first().waitFor();
  await page.waitForLoadState("networkidle");
  const waiting = page.locator('[aria-busy="true"], :text-is("Loading…")');
  while ((await waiting.count()) > 0) await waiting.first().waitFor({ state: "detached" });
}

/** What the page asks the service for from now on: `POST /v1/admin/keys`. */
export function listen(page: Page): string[] {
  const asked: string[] = [];
  page.on("request", (request) => {
    const { pathname } = new URL(request.url());
    if (pathname.startsWith("/v1/")) asked.push(`${request.method()} ${pathname}`);
  });
  return asked;
}

/** Waits until something has the focus. */
export const focusOn = (place: Locator): Promise<void> => place.and(place.page().locator(":focus")).waitFor();

interface Violation {
  id: string;
  help: string;
  nodes: { target: unknown; failureSummary?: string }[];
}

/** Makes the screen wider or narrower, and waits until the page has been drawn so. */
export async function resize(page: Page, width: number): Promise<void> {
  await page.setViewportSize({ width, height });
  await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
}

/** Everything that axe can tell of WCAG 2.2 AA. @param least checks that must have had something to check */
export async function expectAccessible(page: Page, least = 15): Promise<void> {
  await page.evaluate(axe.source);
  const { violations, passes } = await page.evaluate<{ violations: Violation[]; passes: unknown[] }>(
    "axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })",
  );
  const told = violations.map(({ id, help, nodes }) => ({
    id,
    help,
    nodes: nodes.slice(0, 5).map(({ target, failureSummary }) => `${JSON.stringify(target)}: ${failureSummary ?? ""}`),
  }));
  expect(told).toEqual([]);
  // A page that shows nothing passes, too.
  expect(passes.length).toBeGreaterThanOrEqual(least);
}

/** Nothing is wider than the screen: what is wide scrolls in its own box. */
export async function expectFits(page: Page): Promise<void> {
  const [content, screen] = await page.evaluate<[number, number]>("[document.documentElement.scrollWidth, innerWidth]");
  expect(content).toBeLessThanOrEqual(screen);
}

export async function shoot(page: Page, name: string): Promise<void> {
  mkdirSync(shots, { recursive: true });
  await page.screenshot({ path: `${shots}/${name.replaceAll(/[^a-z0-9]+/gi, "-")}.png` });
}
