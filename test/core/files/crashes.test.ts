import { expect, test } from "@jest/globals";
import { takeNext } from "../../../src/db/tables/ingestQueue.js";
import { attach, eachTest, here, letTimePass, look, work } from "./ingesting.js";

eachTest(here);

test("a file that processes die of waits longer each time, and fails after eight attempts", async () => {
  const id = await attach("one paragraph");
  const { db, database } = here.service;
  const waitOf = async () => {
    const [row] = await database.query<{ seconds: number }>(
      "SELECT round(extract(epoch FROM run_after - taken_at))::int AS seconds FROM vector_store_files",
    );
    return row?.seconds;
  };
  const waits = [];
  for (let attempt = 1; attempt <= 8; attempt += 1) {
    expect((await takeNext(db, `dead ${attempt}`, 60))?.fileId).toBe(id);
    waits.push(await waitOf());
    // Whoever took it dies: its lease ends, and nothing else is recorded.
    await database.exec("UPDATE vector_store_files SET lease_until = now() - interval '1 s'");
    if (attempt > 2) expect(await takeNext(db, "too early", 60)).toBeUndefined();
    if (attempt > 1) await letTimePass();
  }
  expect(waits).toEqual([0, 0, 4, 8, 16, 32, 64, 128]);
  expect(await look(id)).toMatchObject({ status: "in_progress" });
  await work();
  expect(await look(id)).toMatchObject({ status: "failed", last_error: { message: expect.stringMatching(/8 times/) } });
});
