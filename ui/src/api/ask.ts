import { createParser } from "eventsource-parser";
import type { Schemas } from "./client.js";
import { Failure, failureOf, isRecord, noAnswer } from "./failure.js";

export type AskBody = Schemas["RagRequest"];
export type AskEvent = Schemas["RagEvent"];
export type Source = Schemas["RagSource"];

const types: readonly string[] = ["rag.sources", "rag.delta", "rag.completed"] satisfies AskEvent["type"][];

const isAskEvent = (value: unknown): value is AskEvent =>
  isRecord(value) && typeof value.type === "string" && types.includes(value.type);

/**
 * Asks a question and tells what comes of the answer, piece by piece.
 * @throws Failure also when it fails in the middle; DOMException `AbortError` once the signal is set
 */
export async function ask(
  storeId: string,
  body: AskBody,
  tell: (event: AskEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  const response = await fetch(`/v1/vector_stores/${encodeURIComponent(storeId)}/rag`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "text/event-stream" },
    body: JSON.stringify({ ...body, stream: true }),
    credentials: "same-origin",
    signal,
  }).catch((error: unknown) => {
    throw asFailure(error, "no_answer");
  });
  if (!response.ok || response.body === null)
    throw failureOf(response, await response.json().catch((): unknown => null));
  const seen = { completed: false };
  const parser = createParser({
    onEvent: ({ event, data }) => {
      if (data === "[DONE]") return;
      const value: unknown = JSON.parse(data);
      if (event === "error") throw failureOf(response, value);
      if (!isAskEvent(value)) return;
      seen.completed ||= value.type === "rag.completed";
      tell(value);
    },
  });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      parser.feed(value);
    }
  } catch (error) {
    throw asFailure(error, "broken_off");
  } finally {
    void reader.cancel().catch(() => undefined);
  }
  if (!seen.completed) throw noAnswer("The answer ended in the middle.", "broken_off");
}

const asFailure = (error: unknown, code: Parameters<typeof noAnswer>[1]): Error =>
  error instanceof Failure || (error instanceof DOMException && error.name === "AbortError")
    ? error
    : noAnswer(error, code);
