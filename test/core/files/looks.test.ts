import { expect, test } from "@jest/globals";
import { createFileLooks } from "../../../src/core/files/looks.js";
import type { StoreFile } from "../../../src/words/file.js";

/** Only what the looks read of a file. */
const file = (vectorStoreId: string, fileId: string) => ({ vectorStoreId, fileId }) as StoreFile;

/** A database that answers each question when it is told to. */
function database() {
  const questions: { storeId: string; fileIds: readonly string[]; answer: () => void; fail: () => void }[] = [];
  const waiting: (() => void)[] = [];
  const looks = createFileLooks(
    (storeId, fileIds) =>
      new Promise((resolve, reject) => {
        const answer = () => {
          resolve(fileIds.filter((id) => id !== "absent").map((id) => file(storeId, id)));
        };
        const fail = () => {
          reject(new Error("the database is away"));
        };
        questions.push({ storeId, fileIds, answer, fail });
        waiting.shift()?.();
      }),
  );
  let taken = 0;
  const next = async () => {
    if (questions.length <= taken) await new Promise<void>((resolve) => waiting.push(resolve));
    const question = questions[taken];
    taken += 1;
    if (question === undefined) throw new Error("there is no question");
    return question;
  };
  return { looks, next, count: () => questions.length };
}

test("one who waits is answered at once, and all who ask meanwhile by one question", async () => {
  const { looks, next, count } = database();
  const first = looks({ vectorStoreId: "a", fileId: "f0" });
  const others = Array.from({ length: 200 }, (_, n) => looks({ vectorStoreId: "a", fileId: `f${n % 150}` }));
  const absent = looks({ vectorStoreId: "a", fileId: "absent" });
  const elsewhere = looks({ vectorStoreId: "b", fileId: "f0" });
  const one = await next();
  expect(one.fileIds).toEqual(["f0"]);
  one.answer();
  expect(await first).toMatchObject({ fileId: "f0" });
  const all = await next();
  expect([all.storeId, all.fileIds.length]).toEqual(["a", 151]);
  all.answer();
  (await next()).answer();
  expect(await absent).toBeUndefined();
  expect(await elsewhere).toMatchObject({ vectorStoreId: "b" });
  expect((await Promise.all(others)).map((found) => found?.fileId)).toEqual(
    Array.from({ length: 200 }, (_, n) => `f${n % 150}`),
  );
  expect(count()).toBe(3);
});

test("a question that fails is told to those who asked it, and the next one is asked", async () => {
  const { looks, next } = database();
  const [one, other] = [looks({ vectorStoreId: "a", fileId: "f" }), looks({ vectorStoreId: "b", fileId: "f" })];
  (await next()).fail();
  await expect(one).rejects.toThrow("the database is away");
  (await next()).answer();
  expect(await other).toMatchObject({ vectorStoreId: "b" });
});
