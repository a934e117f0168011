import { z } from "zod";
import { decodeBase64Floats } from "../float32.js";
import { badGateway } from "./apiErrors.js";

const answerShape = z.object({
  data: z.array(z.object({ index: z.int().min(0), embedding: z.union([z.string(), z.array(z.unknown())]) })),
});

/**
 * The vectors of an OpenAI embeddings answer, in the order of their `index`. Each is either base64 of little-endian
 * float32, as asked for, or an array of numbers, from a provider that ignores the wish.
 * @param expected number of texts asked about
 * @throws ApiError 502 when vectors are missing, doubled, of other dimensions than `dimensions`, or not finite
 */
export function readVectors(answer: unknown, expected: number, model: string, dimensions: number): Float32Array[] {
  const parsed = answerShape.safeParse(answer);
  if (!parsed.success)
    throw badGateway(`The embedding provider's answer for model '${model}' is not a list of vectors.`);
  const { data } = parsed.data;
  if (data.length !== expected) {
    throw badGateway(`The embedding provider answered ${data.length} vectors for ${expected} texts.`);
  }
  const vectors = new Map(data.map(({ index, embedding }) => [index, decode(embedding)]));
  return Array.from({ length: expected }, (_, index) => {
    const vector = vectors.get(index);
    if (vector === undefined) throw badGateway(`The embedding provider's answer has no vector with index ${index}.`);
    if (vector.length !== dimensions) {
      throw badGateway(
        `The model '${model}' answers vectors of ${vector.length} dimensions, but this service is set to ${dimensions}. Set EMBEDDING__DIMENSIONS to the model's number.`,
      );
    }
    if (!vector.every(Number.isFinite)) {
      throw badGateway(`The embedding provider answered a vector with numbers that are not finite.`);
    }
    return vector;
  });
}

function decode(embedding: string | unknown[]): Float32Array {
  // Anything but a number becomes NaN, which the check for finite numbers refuses.
  if (typeof embedding !== "string") {
    return Float32Array.from(embedding, (each) => (typeof each === "number" ? each : Number.NaN));
  }
  const vector = decodeBase64Floats(embedding);
  if (vector === null) throw badGateway("The embedding provider answered a vector that is not whole float32 numbers.");
  return vector;
}
