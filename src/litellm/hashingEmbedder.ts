import { setImmediate } from "node:timers/promises";
import type { AccountOf } from "./account.js";
import type { Embedder } from "./contract.js";
import { hashText } from "./hashing.js";

/** The name of the model that needs no proxy. */
export const builtInModel = "built-in-hashing";

/** Texts to hash before yielding to other work: about 10 ms for chunks of ordinary size. */
const textsPerTurn = 32;

/** The Embedder without a proxy. It costs nothing, but refuses calls of `nobody`, as the proxy would. */
export function hashingEmbedder(dimensions: number, accountOf: AccountOf): Embedder {
  return {
    model: builtInModel,
    dimensions,
    builtIn: true,
    embed: async (texts, { caller, signal }) => {
      accountOf(caller);
      return hashTexts(texts, dimensions, signal);
    },
    embedQuery: async (text, { caller, signal }) => {
      accountOf(caller);
      signal?.throwIfAborted();
      return Promise.resolve(hashText(text, dimensions));
    },
  };
}

/** One vector per text. @throws the signal's reason once it is aborted */
export async function hashTexts(
  texts: readonly string[],
  dimensions: number,
  signal?: AbortSignal,
): Promise<Float32Array[]> {
  const vectors: Float32Array[] = [];
  for (const text of texts) {
    if (vectors.length % textsPerTurn === 0) await setImmediate();
    signal?.throwIfAborted();
    vectors.push(hashText(text, dimensions));
  }
  return vectors;
}
