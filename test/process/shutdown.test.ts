import { expect, test } from "@jest/globals";
import { createLog } from "../../src/process/log.js";
import { type Phase, runPhases } from "../../src/process/shutdown.js";

const log = createLog("silent");
const hangs = () => new Promise<never>(() => undefined);

test("phases run in sequence; steps that hang or fail are abandoned and named", async () => {
  const seen: string[] = [];
  const phase = (name: string, work: () => Promise<unknown>, limitMs = 60_000): Phase => ({
    name,
    limitMs,
    work: () => {
      seen.push(name);
      return work();
    },
    onLimit: () => seen.push(`${name} left behind`),
  });
  const unfinished = await runPhases(
    [
      phase("first", () => Promise.resolve()),
      phase("hangs", hangs, 1),
      phase("fails", () => Promise.reject(new Error("away"))),
      phase("last", () => Promise.resolve()),
    ],
    log,
  );
  expect(seen).toEqual(["first", "hangs", "hangs left behind", "fails", "last"]);
  expect(unfinished).toEqual(["hangs", "fails"]);
});
