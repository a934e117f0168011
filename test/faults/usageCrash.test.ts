import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { call, createStore, until } from "../support/httpClient.js";
import { type ServerData, createServerData } from "../support/serverData.js";
import { type Program, type ServerProcess, compileProgram } from "../support/serverProcess.js";

let program: Program;
let data: ServerData;
beforeAll(async () => {
  [program, data] = await Promise.all([compileProgram(), createServerData()]);
});
afterAll(async () => {
  await program.remove();
  await data.remove();
});

const start = () => program.start(data.environment);
const stop = async ({ child, exited }: ServerProcess, signal: NodeJS.Signals) => {
  child.kill(signal);
  await exited;
};

/** The searches that are recorded by now. */
async function recorded(url: string): Promise<number> {
  const { body } = await call<{ data: { action: string; requests: number }[] }>(
    url,
    "GET",
    "/v1/usage?group_by=action",
  );
  return body.data.find(({ action }) => action === "searchVectorStore")?.requests ?? 0;
}

test("what was used adds up to the requests made; a kill loses at most the last second's", async () => {
  let server = await start();
  const store = await createStore(server.url);
  const search = async (count: number) => {
    for (let i = 0; i < count; i += 1) {
      const { status } = await call(server.url, "POST", `/v1/vector_stores/${store}/search`, { query: "a" });
      expect(status).toBe(200);
    }
  };
  const untilRecorded = (count: number) =>
    until(`${count} searches to be recorded`, async () => ((await recorded(server.url)) === count ? true : null));

  await search(50);
  await untilRecorded(50);
  await search(30);
  await stop(server, "SIGKILL");

  server = await start();
  const kept = await recorded(server.url);
  expect(kept).toBeGreaterThanOrEqual(50);
  expect(kept).toBeLessThanOrEqual(80);
  await search(20);
  // A server that is told to stop writes everything first.
  await stop(server, "SIGTERM");

  server = await start();
  expect(await recorded(server.url)).toBe(kept + 20);
});
