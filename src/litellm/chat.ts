import type { ChatCompletionChunk } from "openai/resources/chat/completions";
import { z } from "zod";
import type { EmbeddingConfig } from "../process/config.js";
import { ApiError } from "../words/errors.js";
import { follow } from "./abort.js";
import { badGateway, passedOnError, refusedError } from "./apiErrors.js";
import type { Chat, ChatAnswer, ChatRequest } from "./contract.js";
import { type Failure, failureOf, readFailure } from "./failures.js";
import type { GateDeps } from "./gate.js";
import { createGates } from "./gates.js";

const count = z.int().min(0).catch(0);
const usage = z.object({ prompt_tokens: count, completion_tokens: count, total_tokens: count }).nullish().catch(null);
const finishReason = z.string().nullish().catch(null);
const completion = z.object({
  model: z.string().catch(""),
  choices: z
    .array(z.object({ message: z.object({ content: z.string().nullish() }), finish_reason: finishReason }))
    .min(1),
  usage,
});
const chunk = z.object({
  model: z.string().catch(""),
  choices: z.array(
    z.object({ delta: z.object({ content: z.string().nullish() }).nullish(), finish_reason: finishReason }),
  ),
  usage,
});

export function createChat(config: EmbeddingConfig, baseUrl: string, deps: GateDeps): Chat {
  const limitMs = config.chatTimeoutMs;
  // One attempt: LiteLLM makes its own, and a caller would rather be told at once than wait for a minute of ours.
  const gateOf = createGates({ ...config, timeoutMs: limitMs, retryBudgetMs: 0 }, baseUrl, deps);

  return {
    async complete(request, { signal }) {
      const body = bodyOf(request);
      const outcome = await gateOf(request.model).ask(
        "chat",
        (client, each) => client.post("/chat/completions", { body, signal: each }),
        signal,
      );
      if ("failure" in outcome) throw chatError(outcome.failure, request);
      const parsed = completion.safeParse(outcome.value);
      if (!parsed.success)
        throw badGateway(`The answer of the chat model '${request.model}' is not a chat completion.`);
      const { model, choices, usage: used } = parsed.data;
      const [first] = choices;
      return {
        text: first?.message.content ?? "",
        model: model === "" ? request.model : model,
        finishReason: first?.finish_reason ?? null,
        usage: used ?? null,
      };
    },

    async stream(request, { signal }) {
      const controller = new AbortController();
      const unfollow = follow(signal, controller);
      const body = { ...bodyOf(request), stream: true as const, stream_options: { include_usage: true } };
      const ask = gateOf(request.model).ask(
        "chat",
        async (client, each) => {
          // The gate's signal is let go when the stream begins; this one lasts.
          const unfollowEach = follow(each, controller);
          try {
            const opened = await client.post<AsyncIterable<ChatCompletionChunk>>("/chat/completions", {
              body,
              signal: controller.signal,
              stream: true,
            });
            return opened;
          } finally {
            unfollowEach();
          }
        },
        signal,
      );
      const outcome = await ask.catch((error: unknown) => {
        unfollow();
        throw error;
      });
      if ("failure" in outcome) {
        unfollow();
        throw chatError(outcome.failure, request);
      }
      return pieces(outcome.value as AsyncIterable<unknown>, request, { controller, unfollow, signal });
    },
  };

  /** The time limit is that between two pieces: a long answer is no slow one. */
  async function* pieces(
    stream: AsyncIterable<unknown>,
    request: ChatRequest,
    { controller, unfollow, signal }: { controller: AbortController; unfollow: () => void; signal: AbortSignal },
  ): AsyncGenerator<string, ChatAnswer> {
    const answer: ChatAnswer = { text: "", model: request.model, finishReason: null, usage: null };
    const seen = { timeIsUp: false, chunks: 0, end: false };
    const end = () => {
      seen.timeIsUp = true;
      controller.abort();
    };
    let timer = setTimeout(end, limitMs);
    try {
      for await (const each of stream) {
        clearTimeout(timer);
        const parsed = chunk.safeParse(each);
        if (!parsed.success)
          throw badGateway(`The chat model '${request.model}' answered with what is no chat completion.`);
        seen.chunks += 1;
        const { model, choices, usage: used } = parsed.data;
        if (model !== "") answer.model = model;
        if (used != null) answer.usage = used;
        const [first] = choices;
        if (first?.finish_reason != null) answer.finishReason = first.finish_reason;
        const text = first?.delta?.content ?? "";
        answer.text += text;
        if (text !== "") yield text;
        // After the yield: how long the reader takes is not the model's time.
        timer = setTimeout(end, limitMs);
      }
      // The client ends an aborted stream as if it were complete.
      signal.throwIfAborted();
      seen.end = true;
      if (seen.timeIsUp) throw chatError(failureOf("timeout"), request);
      // A provider that does not know `stream` answers with JSON, in which there are no events.
      if (seen.chunks === 0) throw badGateway(`The chat model '${request.model}' answered with no stream.`);
      return answer;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ApiError) throw error;
      throw chatError(seen.timeIsUp ? failureOf("timeout") : readFailure(error, deps.clock.now()), request);
    } finally {
      clearTimeout(timer);
      unfollow();
      // Ends the request where it was left before its end.
      if (!seen.end) controller.abort();
    }
  }
}

const bodyOf = ({ model, messages, temperature, maxTokens }: ChatRequest) => ({
  model,
  messages,
  ...(temperature !== undefined && { temperature }),
  ...(maxTokens !== undefined && { max_tokens: maxTokens }),
});

const asked = { provider: "The chat model's provider", purpose: "chat", timeLimit: "CHAT_TIMEOUT_SECONDS" };

function chatError(failure: Failure, { model, namedBy }: ChatRequest): ApiError {
  if (namedBy === "settings") return refusedError(failure, asked, model, "CHAT_MODEL");
  return passedOnError(failure, asked);
}
