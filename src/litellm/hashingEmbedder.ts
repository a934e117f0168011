import { setImmediate } from "node:timers/promises";
import type { AccountOf } from "./account.js";
import type { Embedder } from "./contract.js";
import { type Hashed, hashSteps } from "./hashing.js";

/** The name of the model that needs no proxy. */
export const builtInModel = "built-in-hashing";

/** In UTF-16 units: short texts to hash before yielding to other work, about 5 ms. */
const unitsPerTurn = 16_384;

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
      return (await hashOne(text, dimensions, signal)).vector;
    },
  };
}

/** One vector per text. @throws the signal's reason once it is aborted */
export async function hashTexts(
  texts: readonly string[],
  dimensions: number,
  signal?: AbortSignal,
): Promise<Float32Array[]> {
  return (await hashAll(texts, dimensions, signal)).map(({ vector }) => vector);
}

/** One vector per text, and its number of words. @throws the signal's reason once it is aborted */
export async function hashAll(texts: readonly string[], dimensions: number, signal?: AbortSignal): Promise<Hashed[]> {
  const hashed: Hashed[] = [];
  let units = 0;
  for (const text of texts) {
    hashed.push(await hashOne(text, dimensions, signal));
    units += text.length + dimensions;
    if (units < unitsPerTurn) continue;
    await setImmediate();
    units = 0;
  }
  return hashed;
}

async function hashOne(text: string, dimensions: number, signal?: AbortSignal): Promise<Hashed> {
  signal?.throwIfAborted();
  const steps = hashSteps(text, dimensions);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    await setImmediate();
    signal?.throwIfAborted();
  }
}
