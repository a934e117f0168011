import { z } from "zod";
import { ApiError } from "../words/errors.js";
import type { Clock } from "./clock.js";
import type { ChatAnswer } from "./contract.js";
import { type Failure, failureOf, readFailure } from "./failures.js";
import { badGateway } from "./gatewayErrors.js";

const count = z.int().min(0).catch(0);
export const chatUsage = z
  .object({ prompt_tokens: count, completion_tokens: count, total_tokens: count })
  .nullish()
  .catch(null);
export const finishReason = z.string().nullish().catch(null);
const chunk = z.object({
  model: z.string().catch(""),
  choices: z.array(
    z.object({ delta: z.object({ content: z.string().nullish() }).nullish(), finish_reason: finishReason }),
  ),
  usage: chatUsage,
});

/** How to end a stream, and how to turn its failures into errors. */
interface Reading {
  /** Aborting it ends the request. */
  readonly controller: AbortController;
  /** Called once, when reading has ended. */
  readonly unfollow: () => void;
  /** The caller's own; already followed by the controller. */
  readonly signal: AbortSignal;
  /** Longest wait between two pieces: a long answer is not a slow one. */
  readonly limitMs: number;
  readonly clock: Clock;
  readonly errorOf: (failure: Failure) => ApiError;
}

/**
 * The text of a streamed chat completion, piece by piece; returns the complete answer.
 * @param asked the requested model's name
 */
export async function* readPieces(
  stream: AsyncIterable<unknown>,
  asked: string,
  { controller, unfollow, signal, limitMs, clock, errorOf }: Reading,
): AsyncGenerator<string, ChatAnswer> {
  const answer: ChatAnswer = { text: "", model: asked, finishReason: null, usage: null };
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
        throw badGateway(`The chat model '${asked}' sent a piece that is not part of a chat completion.`);
      seen.chunks += 1;
      const text = add(answer, parsed.data);
      if (text !== "") yield text;
      // After the yield, because the reader's time does not count as the model's.
      timer = setTimeout(end, limitMs);
    }
    // The client ends an aborted stream as if it were complete.
    signal.throwIfAborted();
    seen.end = true;
    if (seen.timeIsUp) throw errorOf(failureOf("timeout"));
    // A provider that does not know `stream` answers with JSON, which has no events.
    if (seen.chunks === 0) throw badGateway(`The chat model '${asked}' did not answer with a stream.`);
    return answer;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ApiError) throw error;
    throw errorOf(seen.timeIsUp ? failureOf("timeout") : readFailure(error, clock.now()));
  } finally {
    clearTimeout(timer);
    unfollow();
    // Ends the request if the reader left before its end.
    if (!seen.end) controller.abort();
  }
}

/** Adds a piece to the answer. @returns its text */
function add(answer: ChatAnswer, { model, choices, usage }: z.output<typeof chunk>): string {
  if (model !== "") answer.model = model;
  if (usage != null) answer.usage = usage;
  const [first] = choices;
  if (first?.finish_reason != null) answer.finishReason = first.finish_reason;
  const text = first?.delta?.content ?? "";
  answer.text += text;
  return text;
}
