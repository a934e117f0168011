import { createServer } from "node:http";
import { z } from "zod";
import { atEnd } from "./cleanup.js";

const request = z.object({
  input: z.union([z.string(), z.array(z.string())]),
  encoding_format: z.enum(["base64", "float"]).optional(),
  model: z.string(),
});

/**
 * Stands in for a model where searches are checked on dense vectors, which no text has by itself: OpenAI's POST /embeddings, answered at once
 * from a function. Runs in the process of the measuring clients.
 * @returns its root, as EMBEDDING__BASE_URL takes it
 */
export async function startEmbeddingServer(vectorOf: (text: string) => Float32Array): Promise<string> {
  const server = createServer((req, res) => {
    let body = "";
    req.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
    req.once("end", () => {
      try {
        const { input, encoding_format: encoding, model } = request.parse(JSON.parse(body));
        const data = [input].flat().map((text, index) => {
          const vector = vectorOf(text);
          const embedding = encoding === "base64" ? Buffer.from(vector.buffer).toString("base64") : Array.from(vector);
          return { object: "embedding", index, embedding };
        });
        const usage = { prompt_tokens: data.length, total_tokens: data.length };
        res.setHeader("content-type", "application/json").end(JSON.stringify({ object: "list", data, model, usage }));
      } catch (error) {
        res.statusCode = 400;
        res.end(JSON.stringify({ error: { message: String(error), type: "invalid_request_error" } }));
      }
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  atEnd(
    () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  );
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" ? (address?.port ?? 0) : 0}`;
}
