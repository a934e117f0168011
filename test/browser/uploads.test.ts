import { expect, jest, test } from "@jest/globals";
import type { Request, Route } from "playwright-core";
import { expectAccessible, expectFits, open, settled, shoot, signIn } from "./browser.js";
import {
  type Scene,
  ask,
  button,
  choose,
  drop,
  filesOf,
  forgiveNetwork,
  large,
  lockedFolder,
  master,
  meet,
  named,
  newStore,
  row,
  text,
  through,
  upload,
  useScene,
} from "./uploadsSupport.js";

/** The files of a vector store: every action. */

jest.setTimeout(180_000);

const scene = useScene();

test("many files by button and by drag and drop: read, asked about, changed, removed", async () => {
  const { page } = scene;
  const { id, files } = await newStore(scene, "Many");
  await signIn(scene.current, master, files);
  await settled(page);
  const asked: string[] = [];
  page.on("request", (request) => {
    if (request.method() === "GET" && request.url().includes(`/${id}/files`)) asked.push(request.url());
  });
  const names = Array.from({ length: 60 }, (_, n) => `note ${String(n).padStart(2, "0")}.txt`);
  const long = Array.from({ length: 4000 }, (_, n) => `Sentence ${n} of a long text.`).join(" ");
  await choose(scene, [
    ...names.map((name) => text(name)),
    text("long.txt", long),
    { name: "broken.pdf", mimeType: "application/pdf", buffer: Buffer.from("%PDF-1.7 nothing of it is a PDF") },
    text("empty.txt", ""),
  ]);
  await page.getByText("63 files are being uploaded.").waitFor();
  const hostile = `<img src=x onerror="document.title='run'">.txt`;
  const backwards = "\u202egnp.exe.txt";
  const endless = `${"w".repeat(240)}.txt`;
  const dropped = [hostile, backwards, endless].map((name) => ({ name, content: `dropped as ${name}` }));
  expect(await drop(scene, dropped)).toBe(false);
  await page.getByText("64 of 66 done, 100% sent, 2 failed").first().waitFor({ timeout: 60_000 });
  // 66 files that are read one after the other are asked about together.
  expect(asked.length).toBeLessThan(66);
  const kept = await filesOf(scene, id);
  expect(kept.map(({ filename }) => filename).sort()).toEqual(
    [...names, "long.txt", "broken.pdf", "empty.txt", hostile, backwards, endless].sort(),
  );
  await upload(scene, "broken.pdf").getByText("Failed").waitFor();
  await upload(scene, "empty.txt").getByText("Failed").waitFor();
  await shoot(page, "uploads-many");
  await expectAccessible(page);

  // On a phone, with names that would run, turn the line round, or break the layout.
  await page.setViewportSize({ width: 390, height: 844 });
  await page.getByRole("row").filter({ hasText: "wwww" }).waitFor();
  await expectFits(page);
  expect(await row(scene, hostile).getByRole("link").textContent()).toBe(hostile);
  expect(await row(scene, ".txt").locator("bdi").filter({ hasText: "gnp.exe" }).count()).toBe(1);
  expect(await page.title()).not.toBe("run");
  await shoot(page, "uploads-many-390");
  await page.setViewportSize({ width: 1440, height: 900 });

  // Why one failed, and once more.
  await page.getByLabel("State").selectOption("failed");
  await row(scene, "broken.pdf").getByText(/PDF/).first().waitFor();
  await page.locator('[role="table"][aria-rowcount="3"]').waitFor();
  const again = page.waitForResponse((answer) => answer.request().method() === "POST");
  await button(scene, "Read broken.pdf again").click();
  expect((await again).status()).toBe(200);
  await page.getByLabel("State").selectOption("");

  // What was read, and attributes.
  await row(scene, hostile).getByRole("link").click();
  await page.getByText(`dropped as ${hostile}`).waitFor();
  await page.goBack();
  await button(scene, /^Attributes of long\.txt/).click();
  await page.getByRole("dialog").getByLabel("Attributes", { exact: true }).fill('{"kind": "<b>long</b>"}');
  await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  await row(scene, "long.txt").getByText("<b>long</b>").waitFor();

  // One that was removed stays away, though its upload is still on the page's list.
  await button(scene, "Remove empty.txt").click();
  await page.getByRole("dialog").getByLabel("Delete the uploaded file, too").check();
  await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await row(scene, "empty.txt").waitFor({ state: "detached" });
  await page.getByRole("link", { name: "Vector stores" }).first().click();
  await page.getByRole("heading", { level: 1, name: "Vector stores" }).waitFor();
  await page.goBack();
  await row(scene, "broken.pdf").waitFor();
  expect(await row(scene, "empty.txt").count()).toBe(0);
  expect(await named(scene, "empty.txt")).toEqual([]);
  await button(scene, "Clear the list").click();
  await page.getByRole("list", { name: "Uploads" }).waitFor({ state: "detached" });
});

test("an upload that was deleted is sent again, and what is dropped is taken, named or ignored, never opened", async () => {
  const { page } = scene;
  const { files } = await newStore(scene, "Dropped");
  await signIn(scene.current, master, files);
  await settled(page);
  expect(await drop(scene, [{ name: "empty.txt", content: "" }])).toBe(false);
  await upload(scene, "empty.txt").getByText("Failed").waitFor();
  for (const { id } of await named(scene, "empty.txt")) await ask(scene, `/files/${id}`, { method: "DELETE" });
  const attached = page.waitForResponse((answer) => answer.url().endsWith("/files") && answer.status() === 200);
  await button(scene, "Try empty.txt again").click();
  await attached;
  expect((await named(scene, "empty.txt")).length).toBe(1);
  forgiveNetwork(scene);

  // A folder that cannot be read is named, and a file that nothing takes is not opened in the place of the page.
  await page.evaluate(lockedFolder);
  expect(await drop(scene, [{ name: "locked", content: "" }])).toBe(false);
  const told = page.getByRole("region", { name: "What has failed" });
  await told.getByText("“locked” could not be read, so it was not uploaded.").waitFor();
  await expectAccessible(page);
  await told.getByRole("button", { name: "Close" }).click();
  await told.waitFor({ state: "detached" });
  await page.getByRole("main").getByRole("link", { name: "Search", exact: true }).click();
  await page.getByLabel("Query").waitFor();
  expect(await drop(scene, [{ name: "stray.txt", content: "Not for this tab." }])).toBe(false);
  await page.goBack();
  await row(scene, "empty.txt").waitFor();
  expect(await named(scene, "stray.txt")).toEqual([]);
});

test("uploads are cancelled, tried again, and not left by accident", async () => {
  const { page } = scene;
  const { id, files } = await newStore(scene, "Given up");
  const { path } = large(scene, "given-up.bin", 12);
  await signIn(scene.current, master, files);
  await settled(page);
  const held: Route[] = [];
  const hold = async (route: Route) => {
    held.push(route);
    await Promise.resolve();
  };
  const parts = await meet(scene, /\/parts$/, through, hold, hold);
  const cancelled = page.waitForResponse(/\/v1\/uploads\/[^/]+\/cancel$/);
  await choose(scene, path);
  await parts.came(2);
  await button(scene, "Cancel given-up.bin").click();
  expect((await cancelled).status()).toBe(200);
  await upload(scene, "given-up.bin").getByText("Cancelled").waitFor();
  await page.getByText("0 of 1 done, 100% sent, 1 cancelled").first().waitFor();
  expect(await filesOf(scene, id)).toEqual([]);

  // Once more, and while it goes on: leaving the page is asked about, closing the window too.
  await button(scene, "Try given-up.bin again").click();
  await parts.came(3);
  await page.getByRole("link", { name: "Dashboard" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Stay" }).click();
  expect(new URL(page.url()).pathname).toMatch(/files$/);
  await page.getByRole("link", { name: "Search", exact: true }).click();
  await page.getByRole("heading", { level: 1, name: "Given up" }).waitFor();
  const asked = page.waitForEvent("dialog");
  await page.close({ runBeforeUnload: true });
  expect((await asked).type()).toBe("beforeunload");
  await (await asked).dismiss();
  await page.getByRole("link", { name: "Dashboard" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Leave" }).click();
  await page.getByRole("heading", { level: 1, name: "Dashboard" }).waitFor();
  // It goes on all the same, and is there when its sender comes back.
  const attached = page.waitForResponse(new RegExp(`/vector_stores/${id}/files$`));
  for (const route of held.slice(-1)) await route.continue();
  expect((await attached).status()).toBe(200);
  await page.goBack();
  await page.getByRole("main").getByRole("link", { name: "Files", exact: true }).click();
  await row(scene, "given-up.bin").getByText("Failed").waitFor();
  await upload(scene, "given-up.bin").getByText("Failed").waitFor();
  expect((await named(scene, "given-up.bin")).length).toBe(1);
});

/** How many requests the page sends of itself in a minute of its clock. */
async function askedInAMinute({ page }: Scene): Promise<number> {
  const asked: Request[] = [];
  const note = (request: Request) => {
    asked.push(request);
  };
  page.on("request", note);
  for (let second = 1; second <= 60; second += 1) {
    const before = asked.length;
    await page.clock.runFor(1_000);
    for (const request of asked.slice(before)) await (await request.response())?.finished();
  }
  page.off("request", note);
  return asked.length;
}

test("files that take long to read are asked about together, and less and less often", async () => {
  const { page, model } = scene;
  const { id, files } = await newStore(scene, "Slow");
  await page.clock.install();
  await signIn(scene.current, master, files);
  await settled(page);
  model.hold();
  const names = ["1", "2", "3", "4", "5", "6"].map((n) => `slow ${n}.txt`);
  await choose(
    scene,
    names.map((name) => text(name)),
  );
  for (const name of names) await upload(scene, name).getByText("Being read").waitFor();
  const asked: URL[] = [];
  page.on("request", (request) => {
    if (request.method() === "GET") asked.push(new URL(request.url()));
  });
  // The pauses grow from 2 to 15 seconds.
  for (let ticks = 1; ticks <= 8; ticks += 1) {
    const answered = page.waitForResponse(/filter=in_progress/);
    await page.clock.fastForward(15_000);
    await answered;
  }
  const about = asked.filter(({ pathname }) => pathname.includes(`/${id}/files`));
  expect(new Set(about.map(({ pathname }) => pathname))).toEqual(new Set([`/v1/vector_stores/${id}/files`]));
  expect(about.length).toBeLessThan(12);
  model.release();
  const isReading = async () => (await filesOf(scene, id)).some(({ status }) => status === "in_progress");
  while (await isReading());
  asked.length = 0;
  await page.clock.fastForward(15_000);
  for (const name of names) await upload(scene, name).getByText("Completed").waitFor();
  await row(scene, "slow 6.txt").getByText("Completed").waitFor();
  // A list, the oldest file, and a list of those that follow it.
  expect(asked.filter(({ pathname }) => pathname.includes(`/${id}/files`)).length).toBe(3);
});

test("an open tab asks no more often than its limit of requests bears, and nothing while it is hidden", async () => {
  const { page, model } = scene;
  const { id, files } = await newStore(scene, "Left open");
  await page.clock.install();
  await signIn(scene.current, master, files);
  await settled(page);
  model.hold();
  await choose(scene, [text("held.txt")]);
  await upload(scene, "held.txt").getByText("Being read").waitFor();
  const [reading] = await filesOf(scene, id);
  const store = `/vector-stores/${id}`;
  const asked: Record<string, number> = {};
  for (const [name, path] of Object.entries({
    overview: store,
    files,
    file: `${files}/${reading?.id ?? ""}`,
    search: `${store}/search`,
  })) {
    await open(scene.current, path);
    asked[name] = await askedInAMinute(scene);
  }
  // As docs/page.md says.
  expect(asked).toEqual({ overview: 6, files: 12, file: 18, search: 6 });
  await page.evaluate(`{
    Object.defineProperty(document, "visibilityState", { configurable: true, get: () => "hidden" });
    document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
  }`);
  expect(await askedInAMinute(scene)).toBe(0);
  model.release();
});
