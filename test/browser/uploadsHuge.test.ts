import { expect, jest, test } from "@jest/globals";
import { startHalfOpenProxy } from "../support/halfOpenProxy.js";
import { settled, signIn, visit } from "./browser.js";
import {
  choose,
  filesOf,
  large,
  master,
  named,
  newStore,
  partBytes,
  upload,
  useScene,
  watchProgress,
} from "./uploadsSupport.js";

/** An upload of the size that people send, over a connection that is lost. */

jest.setTimeout(240_000);

const scene = useScene();

test("256 MB with a connection that is lost: true progress, and only the part under way is sent again", async () => {
  const proxy = await startHalfOpenProxy(scene.root);
  try {
    const { id, files } = await newStore(scene, "Huge");
    const { path, sha256 } = large(scene, "huge.bin", 256);
    const size = 256 * 1024 * 1024;
    const behind = await visit(scene.browser, proxy.url.replace(/\/$/, ""));
    const { page } = behind;
    await signIn(behind, master, files);
    await settled(page);
    /** What the page shows, and what has left it by then. */
    const shown: { value: number; received: number }[] = [];
    let hasBeenCut = false;
    const before = proxy.received();
    await page.exposeFunction("note", (value: number) => {
      shown.push({ value, received: proxy.received() - before });
      if (hasBeenCut || value < size / 3) return;
      hasBeenCut = true;
      // New connections are refused, too, because the browser itself would send the part again on one.
      proxy.set("refuse");
    });
    await page.evaluate(watchProgress);
    let [sent, arrived] = [0, 0];
    page.on("request", (request) => (sent += request.url().endsWith("/parts") ? 1 : 0));
    page.on("response", (answer) => (arrived += answer.url().endsWith("/parts") && answer.ok() ? 1 : 0));
    await choose({ ...scene, page }, path);
    const shownAs = upload({ ...scene, page }, "huge.bin");
    await shownAs.getByText("The service does not answer.").waitFor({ timeout: 60_000 });
    proxy.set("forward");
    // All of it has arrived; nothing reads such a file.
    await shownAs.getByText("Failed").waitFor({ timeout: 120_000 });
    expect((await filesOf(scene, id)).map((file) => file.content_sha256)).toEqual([sha256]);
    expect(await named(scene, "huge.bin")).toMatchObject([{ bytes: size }]);
    expect(hasBeenCut).toBe(true);
    expect([sent, arrived]).toEqual([size / partBytes + 1, size / partBytes]);
    const values = shown.map(({ value }) => value);
    expect(values).toEqual([...values].sort((a, b) => a - b));
    expect(new Set(values).size).toBeGreaterThan(size / partBytes);
    // What is shown has left the browser; a little may wait in the buffers of the two connections.
    for (const { value, received } of shown) expect(value - received).toBeLessThan(partBytes);
    expect(proxy.received() - before).toBeLessThan(size + 2 * partBytes);
    await behind.context.close();
    expect(behind.faults.filter((fault) => !fault.startsWith("Failed to load resource"))).toEqual([]);
  } finally {
    await proxy.close();
  }
});
