import type { ChatCompletionChunk } from "openai/resources/chat/completions";
import { z } from "zod";
import type { EmbeddingConfig } from "../process/config.js";
import type { ApiError } from "../words/errors.js";
import { follow } from "../process/abort.js";
import type { Account, AccountOf } from "./account.js";
import { passedOnError, refusedError } from "./apiErrors.js";
import { chatUsage, finishReason, readPieces } from "./chatStream.js";
import type { Chat, ChatAnswer, ChatRequest } from "./contract.js";
import type { Failure } from "./failures.js";
import type { GateDeps } from "./gate.js";
import { badGateway } from "./gatewayErrors.js";
import { createGates } from "./gates.js";

const completion = z.object({
  model: z.string().catch(""),
  choices: z
    .array(z.object({ message: z.object({ content: z.string().nullish() }), finish_reason: finishReason }))
    .min(1),
  usage: chatUsage,
});

/**
 * Chat completions through the proxy. CHAT_TIMEOUT_SECONDS limits an answer, or the wait for each piece of a stream.
 */
export function createChat(
  config: EmbeddingConfig,
  baseUrl: string,
  { accountOf, ...deps }: GateDeps & { accountOf: AccountOf },
): Chat {
  const limitMs = config.chatTimeoutMs;
  // One attempt only: LiteLLM already retries, and callers prefer an error at once to a minute of our retries.
  const gateOf = createGates({ ...config, timeoutMs: limitMs, retryBudgetMs: 0 }, baseUrl, deps);

  return {
    async complete(request, { caller, signal }) {
      const account = accountOf(caller);
      const body = bodyOf(request);
      const outcome = await gateOf(request.model).ask(
        "chat",
        (client, options) => client.post("/chat/completions", { ...options, body }),
        { account, signal, about: lastOf(request) },
      );
      if ("failure" in outcome) throw chatError(outcome.failure, account, request);
      const parsed = completion.safeParse(outcome.value);
      if (!parsed.success)
        throw badGateway(`The answer of the chat model '${request.model}' is not a chat completion.`);
      const { model, choices, usage } = parsed.data;
      const [first] = choices;
      return {
        text: first?.message.content ?? "",
        model: model === "" ? request.model : model,
        finishReason: first?.finish_reason ?? null,
        usage: usage ?? null,
      };
    },

    async stream(request, { caller, signal }) {
      const account = accountOf(caller);
      const controller = new AbortController();
      const unfollow = follow(signal, controller);
      const body = { ...bodyOf(request), stream: true as const, stream_options: { include_usage: true } };
      const opening = gateOf(request.model).ask(
        "chat",
        async (client, options) => {
          // The gate's signal ends when the stream begins; ours lasts as long as the stream.
          const unfollowOpening = follow(options.signal, controller);
          try {
            const whole = { ...options, signal: controller.signal, body, stream: true };
            return await client.post<AsyncIterable<ChatCompletionChunk>>("/chat/completions", whole);
          } finally {
            unfollowOpening();
          }
        },
        { account, signal, about: lastOf(request) },
      );
      const outcome = await opening.catch((error: unknown) => {
        unfollow();
        throw error;
      });
      const errorOf = (failure: Failure) => chatError(failure, account, request);
      if ("failure" in outcome) {
        unfollow();
        throw errorOf(outcome.failure);
      }
      const stream = outcome.value as AsyncIterable<unknown>;
      const reading = { controller, unfollow, signal, limitMs, clock: deps.clock, errorOf };
      return metered(readPieces(stream, request.model, reading), account);
    },
  };
}

/** The same answer, with its tokens on the account's meter. */
async function* metered(pieces: AsyncGenerator<string, ChatAnswer>, { meter }: Account) {
  const answer = yield* pieces;
  if (meter !== undefined) meter.tokens += answer.usage?.total_tokens ?? 0;
  return answer;
}

const lastOf = ({ messages }: ChatRequest) => messages.slice(-1).map(({ content }) => content);

const bodyOf = ({ model, messages, temperature, maxTokens }: ChatRequest) => ({
  model,
  messages,
  ...(temperature !== undefined && { temperature }),
  ...(maxTokens !== undefined && { max_tokens: maxTokens }),
});

const asked = {
  provider: "The chat model's provider",
  purpose: "chat",
  timeLimit: "CHAT_TIMEOUT_SECONDS",
  texts: null,
};

function chatError(failure: Failure, account: Account, { model, namedBy }: ChatRequest): ApiError {
  if (namedBy === "caller") return passedOnError(failure, account, asked);
  return refusedError(failure, account, { asked, model, where: "CHAT_MODEL" });
}
