import { type ModelKind, createEmbeddings, findModel, listModels } from "../../core/models/models.js";
import { route } from "../route.js";
import { createEmbeddingsAnswer, createEmbeddingsBody, modelAnswer, modelParams, modelsAnswer } from "../wire/model.js";

const tag = "Models";

const modelList = (id: string, path: string, kind: ModelKind, summary: string) =>
  route({
    id,
    method: "get",
    path,
    may: "model:use",
    tag,
    summary,
    answer: modelsAnswer,
    handle: async ({ deps, caller }) => ({ object: "list", data: await listModels(deps, caller, kind) }),
  });

export const modelRoutes = [
  modelList("listModels", "/models", "all", "List the models of the LiteLLM proxy"),
  modelList("listEmbeddingModels", "/embeddings/models", "embedding", "List the embedding models of the LiteLLM proxy"),
  modelList("listVisionModels", "/vision/models", "vision", "List the vision models of the LiteLLM proxy"),
  modelList("listRerankModels", "/rerank/models", "rerank", "List the rerank models of the LiteLLM proxy"),
  route({
    id: "retrieveModel",
    method: "get",
    path: "/models/*model",
    may: "model:use",
    tag,
    summary: "Retrieve a model of the LiteLLM proxy",
    description: "The id may contain slashes, encoded or not: `/v1/models/openai/gpt-4o`.",
    params: modelParams,
    answer: modelAnswer,
    handle: ({ deps, caller, params }) => findModel(deps, caller, params.model),
  }),
  route({
    id: "createEmbeddings",
    method: "post",
    path: "/embeddings",
    may: "model:use",
    tag,
    summary: "Create embeddings",
    description: "Passes the request to the LiteLLM proxy; without a proxy, the built-in embedder answers.",
    body: createEmbeddingsBody,
    example: { model: "text-embedding-3-small", input: "Returns are accepted within 30 days." },
    answer: createEmbeddingsAnswer,
    handle: ({ deps, caller, body, signal }) => createEmbeddings(deps, caller, body, signal),
  }),
];
