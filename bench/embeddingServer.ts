import { z } from "zod";
import { type ModelAnswer, startModelServer } from "./modelServer.js";

const request = z.object({
  input: z.union([z.string(), z.array(z.string())]),
  encoding_format: z.enum(["base64", "float"]).optional(),
  model: z.string(),
});

/** OpenAI's POST /embeddings, answered by a function. */
export const answerEmbeddings =
  (vectorOf: (text: string) => Float32Array) =>
  (body: unknown): ModelAnswer => {
    const { input, encoding_format: encoding, model } = request.parse(body);
    const data = [input].flat().map((text, index) => {
      const vector = vectorOf(text);
      const embedding = encoding === "base64" ? Buffer.from(vector.buffer).toString("base64") : Array.from(vector);
      return { object: "embedding", index, embedding };
    });
    const usage = { prompt_tokens: data.length, total_tokens: data.length };
    return { json: { object: "list", data, model, usage } };
  };

/**
 * Stands in for a model when searches use dense vectors, which no text has.
 * @returns its root URL, for EMBEDDING__BASE_URL
 */
export async function startEmbeddingServer(vectorOf: (text: string) => Float32Array): Promise<string> {
  const { url } = await startModelServer({ "POST /v1/embeddings": answerEmbeddings(vectorOf) });
  return url;
}
