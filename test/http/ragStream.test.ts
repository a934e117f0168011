import { describe, expect, test } from "@jest/globals";
import type { Answer } from "../litellm/support.js";
import { chatChunk } from "../support/fakeProxy.js";
import { createStore, postText, rowsPath } from "../support/stores.js";
import { proxy, service, id, path, question, ask, rag, lastChat, refusal, open, stream } from "./ragSupport.js";

test("sources keep the digits of numbers, whole and streamed, of one store and of several", async () => {
  const store = await createStore(service);
  const numbers = '"n":9007199254740993,"d":0.10000000000000000001';
  const row = `{"id": "exact-${store}", "content": "The cat sleeps on the printer.", "metadata": {${numbers}}}`;
  expect((await postText(service, rowsPath(store), row)).status).toBe(200);
  for (const asked of [{}, { stream: true }]) {
    const { status, text } = await postText(service, path(store), JSON.stringify({ query: question, ...asked }));
    expect({ status, text }).toMatchObject({ status: 200 });
    expect(text).toContain('"n":9007199254740993');
    expect(text).toContain('"d":0.10000000000000000001');
    const body = JSON.stringify({ query: question, vector_store_ids: [store], ...asked });
    const ofSeveral = await postText(service, "/v1/rag", body);
    expect(ofSeveral).toMatchObject({ status: 200 });
    expect(ofSeveral.text).toContain('"n":9007199254740993');
    expect(ofSeveral.text).toContain('"d":0.10000000000000000001');
  }
});

describe("a streamed answer", () => {
  test("has the sources, the pieces, and the complete answer", async () => {
    const events = await stream();
    expect(proxy.calls().at(-1)).toBe("chat/completions");
    expect(lastChat()).toMatchObject({ stream: true, stream_options: { include_usage: true } });
    const whole = await rag();
    const [first, ...rest] = events;
    const last = rest.pop();
    expect(first).toMatchObject({ event: "rag.sources", data: { type: "rag.sources", search_query: question } });
    expect(first?.data.sources).toEqual(whole.sources.map((source) => ({ ...source, cited: false })));
    expect(rest.map(({ event }) => event)).toEqual(rest.map(() => "rag.delta"));
    expect(rest.length).toBeGreaterThan(2);
    expect(rest.map(({ data }) => data.delta).join("")).toBe(whole.answer);
    expect(last).toEqual({
      event: "rag.completed",
      data: {
        type: "rag.completed",
        answer: whole.answer,
        cited: [1],
        model: "chat-2026",
        usage: whole.usage,
        finish_reason: "stop",
      },
    });
  });

  test("sends each piece as it arrives", async () => {
    let next = (): void => undefined;
    const held = new Promise<void>((resolve) => (next = resolve));
    proxy.answers.chat = () => ({
      events: (async function* () {
        yield chatChunk("first ");
        await held;
        yield chatChunk("second");
        yield "[DONE]";
      })(),
    });
    const answer = await open({ stream: true });
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    const until = async (part: string) => {
      while (!text.includes(part)) text += (await reader?.read())?.value ?? "";
    };
    await until('"delta":"first "');
    expect(text).not.toContain("second");
    next();
    await until("[DONE]");
    expect(text).toContain('"answer":"first second"');
  });

  test.each<[number, Answer, number, RegExp]>([
    [401, refusal(401, "no"), 502, /own key/],
    [403, refusal(403, "key not allowed to access model"), 502, /CHAT_MODEL/],
    [422, refusal(422, "spent", { type: "budget_exceeded" }), 422, /budget for chat/],
    [429, refusal(429, "slow down"), 429, /rate limit/],
    [500, refusal(500, "boom"), 502, /HTTP 500/],
  ])("a %d of the proxy has the same status with and without a stream", async (_, answer, status, message) => {
    proxy.answers.chat = () => answer;
    for (const body of [{}, { stream: true }]) {
      const refused = await ask(body).expect(status);
      expect((refused.body as { error: { message: string } }).error.message).toMatch(message);
      expect(JSON.stringify(refused.body)).not.toMatch(/sk-service|embedding provider/i);
    }
  });

  test("a failure during the stream is an event with OpenAI's error object", async () => {
    proxy.answers.chat = () => ({
      events: (async function* () {
        yield chatChunk("first ");
        yield await Promise.resolve(JSON.stringify({ error: { message: "the model is gone", code: "500" } }));
      })(),
    });
    const events = await stream();
    expect(events.map(({ event }) => event)).toEqual(["rag.sources", "rag.delta", "error"]);
    expect(events.at(-1)?.data).toEqual({
      error: {
        message: "The chat model's provider failed (HTTP 500).",
        type: "server_error",
        param: null,
        code: "bad_gateway",
      },
    });
    await ask().expect(502);
  });

  test("an answer that is not a stream or not a chat completion is the proxy's error", async () => {
    proxy.answers.chat = () => ({ json: { choices: [{ message: { content: "whole" } }] } });
    expect((await stream()).at(-1)).toMatchObject({ event: "error", data: { error: { code: "bad_gateway" } } });
    proxy.answers.chat = () => ({
      events: (async function* () {
        yield await Promise.resolve('{"choices": 5}');
      })(),
    });
    expect((await stream()).at(-1)).toMatchObject({ event: "error", data: { error: { code: "bad_gateway" } } });
    await ask().expect(502);
    proxy.answers.chat = () => ({ json: { choices: [] } });
    await ask().expect(502);
    proxy.answers.chat = () => ({ text: "<html>" });
    await ask().expect(502);
  });

  test("a model that stalls during the stream times out after CHAT_TIMEOUT_SECONDS", async () => {
    proxy.answers.chat = () => ({
      events: (async function* () {
        yield chatChunk("first ");
        await new Promise(() => undefined);
      })(),
    });
    const events = await stream();
    expect(events.at(-1)).toMatchObject({ event: "error", data: { error: { code: "gateway_timeout" } } });
    proxy.answers.chat = () => "hang";
    const late = await ask().expect(504);
    expect((late.body as { error: { message: string } }).error.message).toContain("CHAT_TIMEOUT_SECONDS");
  });
});

describe("no connection is held during the model call, and a client that disconnects cancels it", () => {
  test.each([
    ["in a stream", { stream: true }],
    ["without", {}],
    ["while a follow-up is rewritten", { messages: [{ role: "user", content: "hello" }] }],
  ])("%s", async (_, body) => {
    let arrive = (): void => undefined;
    const arrived = new Promise<void>((resolve) => (arrive = resolve));
    proxy.answers.chat = (asked) => {
      arrive();
      if ((asked.body as { stream?: boolean }).stream !== true) return "hang";
      return {
        events: (async function* () {
          for (;;) {
            yield chatChunk("more ");
            await new Promise((resolve) => setImmediate(resolve));
          }
        })(),
      };
    };
    const left = proxy.left();
    const controller = new AbortController();
    const answer = open(body, id, controller.signal).then((each) => each.text());
    answer.catch(() => undefined);
    await arrived;
    // The pool has one connection.
    await service.get(`/v1/vector_stores/${id}`).expect(200);
    controller.abort();
    await expect(answer).rejects.toThrow();
    while (proxy.left() === left) await new Promise((resolve) => setImmediate(resolve));
  });
});
