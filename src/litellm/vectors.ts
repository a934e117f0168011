import { z } from "zod";
import { decodeBase64Floats } from "../numbers/float32.js";
import type { NamedModel } from "./apiErrors.js";
import { lengthError } from "./apiErrors.js";
import { badGateway } from "./gatewayErrors.js";

// decode() checks the numbers of an array: a schema per number would take longer than everything else here.
const numbers = z.custom<readonly unknown[]>((value) => Array.isArray(value));
const answerShape = z.object({
  data: z.array(z.object({ index: z.int().min(0), embedding: z.union([z.string(), numbers]) })),
});

const usageShape = z.object({ usage: z.object({ prompt_tokens: z.number().min(0) }) });

/** The tokens that an OpenAI embeddings answer says the request took; 0 if it does not say. */
export function readTokens(answer: unknown): number {
  const parsed = usageShape.safeParse(answer);
  return parsed.success ? parsed.data.usage.prompt_tokens : 0;
}

/**
 * The vectors of an OpenAI embeddings answer, in the order of their `index`. Each is base64 of little-endian float32,
 * as requested, or an array of numbers, from a provider that ignores the request.
 * @param expected number of texts in the request
 * @param dimensions numbers per vector; null: any length except 0
 * @throws ApiError 502 if vectors are missing, repeated, of another length than `dimensions`, or not finite
 */
export function readVectors(
  answer: unknown,
  expected: number,
  named: NamedModel,
  dimensions: number | null,
): Float32Array[] {
  const parsed = answerShape.safeParse(answer);
  if (!parsed.success)
    throw badGateway(`The embedding provider's answer for model '${named.model}' is not a list of vectors.`);
  const { data } = parsed.data;
  if (data.length !== expected) {
    throw badGateway(`The embedding provider answered ${data.length} vectors for ${expected} texts.`);
  }
  const vectors = new Map(data.map(({ index, embedding }) => [index, decode(embedding)]));
  return Array.from({ length: expected }, (_, index) => {
    const vector = vectors.get(index);
    if (vector === undefined) throw badGateway(`The embedding provider's answer has no vector with index ${index}.`);
    if (dimensions !== null && vector.length !== dimensions) throw lengthError(named, vector.length, dimensions);
    if (vector.length === 0) throw badGateway("The embedding provider answered a vector without numbers.");
    if (!allFinite(vector)) {
      throw badGateway(`The embedding provider answered a vector with numbers that are not finite.`);
    }
    return vector;
  });
}

// Plain loops, here and below: every() and Float32Array.from(…, callback) take five times as long over 1,536 numbers.
function allFinite(vector: Float32Array): boolean {
  for (const each of vector) if (!Number.isFinite(each)) return false;
  return true;
}

function decode(embedding: string | readonly unknown[]): Float32Array {
  if (typeof embedding !== "string") {
    const vector = new Float32Array(embedding.length);
    let at = 0;
    // Anything but a number becomes NaN, which the check for finite numbers refuses.
    for (const each of embedding) vector[at++] = typeof each === "number" ? each : Number.NaN;
    return vector;
  }
  const vector = decodeBase64Floats(embedding);
  if (vector === null) throw badGateway("The embedding provider answered a vector that is not whole float32 numbers.");
  return vector;
}
