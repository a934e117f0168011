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
 * or `encoding_format` and takes the same request without, later requests of all accounts leave it out.
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
  const prefix = prefixOf(prompts, purpose);
  let usual: Parameters = { encoding: "base64", dimensions: typeof wanted === "number" ? wanted : undefined };

  async function send(texts: readonly string[], sending: Sending, parameters: Parameters): Promise<Embedded> {
    const { encoding, dimensions: asked } = parameters;
    const body = {
      model,
      // Providers refuse an empty text, and with it the whole batch; a space is the closest substitute.
      input: texts.map((text) => (prefix + text === "" ? " " : prefix + text)),
      // Always explicit: without it the client's own method asks for base64 and decodes it to an array of numbers.
      ...(encoding && { encoding_format: encoding }),
      ...(asked !== undefined && { dimensions: asked }),
      ...(prompts.inputType !== null && { input_type: prompts.inputType[purpose] }),
    };
    const outcome = await gate.ask(
      "embeddings",
      (client, options) => client.post("/embeddings", { ...options, body }),
      { about: body.input, ...sending },
    );
    if ("value" in outcome) {
      const vectors = readVectors(outcome.value, texts.length, target, dimensions);
      return { value: vectors, tokens: readTokens(outcome.value) };
    }
    return outcome;
  }

  return async (texts, sending) => {
    const begun = usual;
    for (let parameters = begun; ;) {
      const outcome = await send(texts, sending, parameters);
      if ("value" in outcome) {
        // Learn only from success: a text may be refused with words that sound like a parameter.
        if (usual === begun) usual = parameters;
        return outcome;
      }
      const fewer = withoutRefused(outcome.failure, parameters);
      if (fewer === null) return outcome;
      parameters = fewer;
    }
  };
}

/** Parameters that a request can do without. */
interface Parameters {
  readonly encoding: "base64" | "float" | undefined;
  readonly dimensions: number | undefined;
}

/** Without the parameter that a refusal is about; null: it is about something else. */
function withoutRefused(failure: Failure, parameters: Parameters): Parameters | null {
  const { encoding, dimensions } = parameters;
  if (encoding !== undefined && refusesEncoding(failure))
    return { ...parameters, encoding: encoding === "base64" ? "float" : undefined };
  if (dimensions !== undefined && refusesDimensions(failure)) return { ...parameters, dimensions: undefined };
  return null;
}
