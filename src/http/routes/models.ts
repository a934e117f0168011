import { type ModelKind, createEmbeddings, listModels } from "../../core/models/models.js";
import { route } from "../route.js";
import { createEmbeddingsAnswer, createEmbeddingsBody, modelsAnswer } from "../wire/model.js";

const tag = "Models";

const modelList = (path: string, kind: ModelKind, summary: string) =>
  route({
    method: "get",
    path,
    may: "model:use",
    tag,
    summary,
    answer: modelsAnswer,
    handle: async ({ deps }) => ({ object: "list", data: await listModels(deps, kind) }),
  });

export const modelRoutes = [
  modelList("/models", "all", "List the models of the LiteLLM proxy"),
  modelList("/embeddings/models", "embedding", "List the embedding models of the LiteLLM proxy"),
  modelList("/vision/models", "vision", "List the vision models of the LiteLLM proxy"),
  modelList("/rerank/models", "rerank", "List the rerank models of the LiteLLM proxy"),
  route({
    method: "post",
    path: "/embeddings",
    may: "model:use",
    tag,
    summary: "Create embeddings",
    description: "Passes the request to the LiteLLM proxy; without a proxy, the built-in embedder answers.",
    body: createEmbeddingsBody,
    answer: createEmbeddingsAnswer,
    handle: ({ deps, body, signal }) => createEmbeddings(deps, body, signal),
  }),
];
