import type { NamedModel } from "./apiErrors.js";
import type { Failure } from "./failures.js";
import { refusesDimensions, refusesEncoding } from "./failures.js";
import type { Gate, Sending } from "./gate.js";
import { type Prompts, type Purpose, noPrompts, prefixOf } from "../words/prompts.js";
import { readTokens, readVectors } from "./vectors.js";

/** One vector per text, and the tokens of the whole request. */
type Embedded = { readonly value: Float32Array[]; readonly tokens: number } | { readonly failure: Failure };

/**
 * Requests the vectors of all texts at once.
 * @throws ApiError 502 for an invalid answer, or the signal's reason
 */
export type Ask = (texts: readonly string[], sending: Sending) => Promise<Embedded>;

/**
 * Makes requests to one model, with what it wants to be told of a text's purpose. If the provider refuses `dimensions`
 * or `encoding_format`, later requests of all accounts leave it out.
 * @param target `dimensions`: numbers per vector; null if any length will do. `sendDimensions`: the number to ask for;
 * true: as many as `dimensions`
 */
export function createAsk(
  target: NamedModel & {
    readonly dimensions: number | null;
    readonly sendDimensions: boolean | number;
    readonly prompts?: Prompts | undefined;
  },
  gate: Gate,
  purpose: Purpose,
): Ask {
  const { model, dimensions, prompts = noPrompts } = target;
  const wanted = target.sendDimensions === true ? dimensions : target.sendDimensions;
  let sendDimensions = typeof wanted === "number";
  const prefix = prefixOf(prompts, purpose);
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
      // Providers refuse an empty text, and with it the whole batch; a space is the closest substitute.
      input: texts.map((text) => (prefix + text === "" ? " " : prefix + text)),
      // Always explicit: without it the client's own method asks for base64 and decodes it to an array of numbers.
      ...(encoding && { encoding_format: encoding }),
      ...(sendDimensions && typeof wanted === "number" && { dimensions: wanted }),
      ...(prompts.inputType !== null && { input_type: prompts.inputType[purpose] }),
    };
    const outcome = await gate.ask(
      "embeddings",
      (client, options) => client.post("/embeddings", { ...options, body }),
      sending,
    );
    if ("value" in outcome) {
      const vectors = readVectors(outcome.value, texts.length, target, dimensions);
      return { value: vectors, tokens: readTokens(outcome.value) };
    }
    return learn(outcome.failure, body) ? ask(texts, sending) : outcome;
  };
  return ask;
}
