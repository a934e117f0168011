import type { NamedModel } from "./apiErrors.js";
import type { Failure, Outcome } from "./failures.js";
import { refusesDimensions, refusesEncoding } from "./failures.js";
import type { Gate, Sending } from "./gate.js";
import { readVectors } from "./vectors.js";

/**
 * One request for the vectors of all texts.
 * @throws ApiError 502 for an answer that makes no sense, or the signal's reason
 */
export type Ask = (texts: readonly string[], sending: Sending) => Promise<Outcome<Float32Array[]>>;

/**
 * Requests to one model. Learns from refusals of `dimensions` and `encoding_format` to leave them out, for all accounts
 * and as long as it lives.
 * @param target `dimensions`: numbers per vector; null where any length will do
 */
export function createAsk(
  target: NamedModel & { readonly dimensions: number | null; readonly sendDimensions: boolean },
  gate: Gate,
): Ask {
  const { model, dimensions } = target;
  let sendDimensions = target.sendDimensions;
  let encoding: "base64" | "float" | undefined = "base64";

  /** Whether the refusal is about a parameter that later requests can leave out. */
  function learn(failure: Failure, sent: { encoding_format?: "base64" | "float"; dimensions?: number }): boolean {
    if (sent.encoding_format !== undefined && refusesEncoding(failure)) {
      encoding = sent.encoding_format === "base64" ? "float" : undefined;
      return true;
    }
    if (sent.dimensions !== undefined && refusesDimensions(failure)) {
      sendDimensions = false;
      return true;
    }
    return false;
  }

  const ask: Ask = async (texts, sending) => {
    const body = {
      model,
      // Providers refuse an empty text and the whole batch with it; a space is the nearest text to nothing.
      input: texts.map((text) => (text === "" ? " " : text)),
      // Always explicit: without it the client's own method asks for base64 and decodes it to an array of numbers.
      ...(encoding && { encoding_format: encoding }),
      ...(sendDimensions && dimensions !== null && { dimensions }),
    };
    const outcome = await gate.ask(
      "embeddings",
      (client, options) => client.post("/embeddings", { ...options, body }),
      sending,
    );
    if ("value" in outcome) return { value: readVectors(outcome.value, texts.length, target, dimensions) };
    return learn(outcome.failure, body) ? ask(texts, sending) : outcome;
  };
  return ask;
}
