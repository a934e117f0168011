import { expect, test } from "@jest/globals";
import { makeKey, makeStore, makeUser, ways } from "../identitySupport.js";

test("400 calls at once never swap two users", async () => {
  const word = { ann: "xyzzyann", cat: "xyzzycat" };
  type Person = keyof typeof word;
  const start = async (name: Person) => {
    const key = await makeKey({ user_id: await makeUser(`${name}-of-many`) });
    return { key, store: await makeStore(key, `${name}-of-many`, `The word is ${word[name]}.`) };
  };
  const people = { ann: await start("ann"), cat: await start("cat") };
  const calls = Array.from({ length: 400 }, async (_, i) => {
    const [by, other]: [Person, Person] = i % 2 === 0 ? ["ann", "cat"] : ["cat", "ann"];
    // Half of the calls search the own vector store, a quarter that of the other, and a quarter chats with both.
    const kind = ["own", "own", "other", "both"][Math.floor(i / 2) % 4];
    const stores = { own: [by], other: [other], both: ["ann", "cat"] as const }[kind as "own" | "other" | "both"];
    const go = ways[kind === "both" ? "chat" : "search"];
    const answer = await go?.(
      stores.map((name) => people[name].store),
      { key: people[by].key },
    );
    const found = Object.values(word).filter((each) => answer?.text.includes(each));
    const [status, words] = kind === "other" ? [404, []] : [200, [word[by]]];
    return { got: { by, kind, status: answer?.status, words: found }, expected: { by, kind, status, words } };
  });
  const answers = await Promise.all(calls);
  expect(answers.map(({ got }) => got)).toEqual(answers.map(({ expected }) => expected));
});
