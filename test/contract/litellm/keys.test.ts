import { expect, test } from "@jest/globals";
import OpenAI from "openai";
import { failure, proxy } from "./support.js";

const messages = [{ role: "user" as const, content: "Which key is this?" }];

test("LiteLLM with a database: a virtual key may use its models until it is deleted", async () => {
  // The SDK's base URL ends in /v1; LiteLLM's own routes do not.
  const root = proxy.baseURL.replace(/\/v1$/, "");
  const manage = <T>(path: string, body: object) => proxy.post<T>(root + path, { body });
  const { key } = await manage<{ key: string }>("/key/generate", { models: ["upstream-chat"], max_budget: 1.5 });
  const user = new OpenAI({ baseURL: proxy.baseURL, apiKey: key, maxRetries: 0 });

  const answer = await user.chat.completions.create({ model: "upstream-chat", messages });
  expect(answer.choices[0]?.message.content).toContain("Which key is this?");
  expect((await failure(user.chat.completions.create({ model: "mock-chat", messages }))).status).toBe(403);

  await manage("/key/delete", { keys: [key] });
  expect((await failure(user.chat.completions.create({ model: "upstream-chat", messages }))).status).toBe(401);
});
