import { expect, jest, test } from "@jest/globals";
import type { Route } from "playwright-core";
import { expectAccessible, settled, shoot, signIn } from "./browser.js";
import {
  ask,
  choose,
  filesOf,
  forgiveNetwork,
  large,
  master,
  meet,
  named,
  newStore,
  partBytes,
  through,
  upload,
  useScene,
  watchProgress,
} from "./uploadsSupport.js";

/** Uploads that something comes between. */

jest.setTimeout(180_000);

const scene = useScene();

const broken = (route: Route) => route.abort("connectionreset");
/** The service does it, and its answer is lost. */
const unanswered = async (route: Route) => {
  await route.fetch();
  await route.abort("connectionreset");
};
const refused = (status: number, seconds: number) => (route: Route) =>
  route.fulfill({
    status,
    headers: { "retry-after": String(seconds) },
    json: { error: { message: `refused with ${status}`, type: "x", param: null, code: null } },
  });
const nonsense = (route: Route) => route.fulfill({ status: 200, contentType: "text/html", body: "<h1>Sign on</h1>" });
const never = () => Promise.resolve();

test("a large file goes on after whatever happens to its parts, and nothing is stored twice", async () => {
  const { page } = scene;
  const { id, files } = await newStore(scene, "Large");
  const { path, sha256 } = large(scene, "large.bin", 40);
  await page.clock.install();
  await signIn(scene.current, master, files);
  await settled(page);
  const begun = await meet(scene, /\/v1\/uploads$/, refused(429, 1), unanswered);
  // One mishap for each part, because the pauses before one is tried again grow.
  const mishaps = [broken, through, refused(503, 1), through, nonsense, through, unanswered, through, never];
  const parts = await meet(scene, /\/parts$/, ...mishaps);
  const completed = await meet(scene, /\/complete$/, unanswered, nonsense);
  const attached = await meet(scene, /\/vector_stores\/[^/]+\/files$/, unanswered);
  const shown: number[] = [];
  await page.exposeFunction("note", (value: number) => shown.push(value));
  await choose(scene, path);
  await upload(scene, "large.bin").getByText("Tries again soon").waitFor();
  await upload(scene, "large.bin").getByText("refused with 429").waitFor();
  await page.evaluate(watchProgress);
  await upload(scene, "large.bin").getByText("The service does not answer.").waitFor();
  await upload(scene, "large.bin").getByText("refused with 503").waitFor();
  await upload(scene, "large.bin").getByText("Something that cannot be read").waitFor();
  // The last is never answered, though all of it has been sent.
  await parts.came(9);
  forgiveNetwork(scene);
  await shoot(page, "uploads-large");
  await page.clock.fastForward(200_000);
  await upload(scene, "large.bin").getByText("Failed").waitFor({ timeout: 60_000 });
  expect([begun, parts, completed, attached].map(({ count }) => count())).toEqual([3, 10, 3, 2]);
  expect(shown).toEqual([...shown].sort((a, b) => a - b));
  expect((await filesOf(scene, id)).map((file) => file.content_sha256)).toEqual([sha256]);
  expect((await named(scene, "large.bin")).map(({ bytes }) => bytes)).toEqual([5 * partBytes]);
  expect(await page.getByText("Status 200").count()).toBe(0);
  forgiveNetwork(scene);
});

test("a server that stops and a session that ends in the middle: uploads go on afterwards", async () => {
  const { page } = scene;
  const { id, files } = await newStore(scene, "Interrupted");
  const { path, sha256 } = large(scene, "interrupted.bin", 40);
  await signIn(scene.current, master, files);
  await settled(page);
  let restarted: Promise<void> = Promise.resolve();
  const stop = async (route: Route) => {
    scene.server.child.kill("SIGKILL");
    await scene.server.exited;
    await route.continue().catch(() => undefined);
    await upload(scene, "interrupted.bin").getByText("The service does not answer.").waitFor();
    restarted = scene.startAgain();
  };
  const revoke = async (route: Route) => {
    const { data } = await ask<{ data: { id: string }[] }>(scene, "/admin/sessions");
    for (const each of data) await ask(scene, `/admin/sessions/${each.id}`, { method: "DELETE" });
    await route.continue();
  };
  const afterwards = async (route: Route) => {
    await restarted;
    await route.continue();
  };
  const parts = await meet(scene, /\/parts$/, through, stop, afterwards, revoke);
  await choose(scene, path);
  // The page asks to sign in, keeps its address, and says what has become of the uploads.
  await page.getByText("Your session has ended, so 1 upload was stopped.").waitFor({ timeout: 60_000 });
  expect(new URL(page.url()).search).toBe(`?next=${encodeURIComponent(files)}`);
  await restarted;
  expect(await filesOf(scene, id)).toEqual([]);
  await shoot(page, "uploads-session-ended");
  await expectAccessible(page, 8);
  await page.locator("input[type=password]").fill(master);
  await page.getByRole("button", { name: "Sign in" }).click();
  await upload(scene, "interrupted.bin").getByText("Failed").waitFor();
  expect(new URL(page.url()).pathname).toBe(`/admin${files}`);
  expect((await filesOf(scene, id)).map((file) => file.content_sha256)).toEqual([sha256]);
  // Two were sent in vain; none that had arrived was sent again.
  expect(parts.count()).toBe(5 + 2);
  forgiveNetwork(scene);
});

test("signing out asks first, and somebody else's sign-in in another window ends what is being sent", async () => {
  const { page } = scene;
  const { id, files } = await newStore(scene, "Two callers");
  const { path } = large(scene, "first-caller.bin", 24);
  await signIn(scene.current, master, files);
  await settled(page);
  const begun = await meet(scene, /\/v1\/uploads$/);
  const parts = await meet(scene, /\/parts$/, through, never);
  await choose(scene, path);
  await parts.came(2);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("dialog").getByText("1 file is still being uploaded.").waitFor();
  await expectAccessible(page, 8);
  await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
  await upload(scene, "first-caller.bin").getByRole("progressbar").waitFor();

  const other = await page.context().newPage();
  await other.goto("/admin/sessions");
  await settled(other);
  const out = other.getByRole("button", { name: "Sign out" }).first();
  await other.route(/\/sessions\/current$/, broken);
  await out.click();
  await other.getByRole("alert").getByText("The service does not answer.").waitFor();
  await other.unroute(/\/sessions\/current$/);
  await other.getByRole("alert").getByRole("button", { name: "Try again" }).click();
  await page.getByText("Your session was ended elsewhere").waitFor();
  await page.getByText("1 upload was stopped").waitFor();

  const body = JSON.stringify({ name: "second caller", scope: "write" });
  const second = await ask<{ id: string; key: string }>(scene, "/admin/keys", { method: "POST", body });
  await other.locator("input[type=password]").fill(second.key);
  await other.getByRole("button", { name: "Sign in" }).click();
  await page.getByText(`key:${second.id}`).waitFor();
  await settled(page);
  expect(new URL(page.url()).pathname).toBe(`/admin${files}`);
  expect(await page.getByRole("list", { name: "Uploads" }).count()).toBe(0);
  expect([begun.count(), parts.count()]).toEqual([1, 2]);
  expect(await filesOf(scene, id)).toEqual([]);
  forgiveNetwork(scene);
});
