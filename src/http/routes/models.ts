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
    handle: async ({ deps, caller }) => ({ object: "list", data: await listModels(deps, caller, kind) }),
  });

export const modelRoutes = [
  modelList("/models", "all", "List the models of the LiteLLM proxy"),
  modelList("/embeddings/models", "embedding", "List its embedding models"),
  modelList("/vision/models", "vision", "List its models that see pictures"),
  modelList("/rerank/models", "rerank", "List its models that put documents in order"),
  route({
    method: "post",
    path: "/embeddings",
    may: "model:use",
    tag,
    summary: "Create embeddings",
    description: "Passed to the LiteLLM proxy as it is; without a proxy the built-in embedder answers.",
    body: createEmbeddingsBody,
    answer: createEmbeddingsAnswer,
    handle: ({ deps, caller, body, signal }) => createEmbeddings(deps, caller, body, signal),
  }),
];
