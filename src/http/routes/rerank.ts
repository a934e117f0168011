import { rerankDocuments } from "../../core/search/rerankDocuments.js";
import { route } from "../route.js";
import { presentReranked, readRerank, rerankAnswer, rerankBody, rerankOfStoreBody } from "../wire/rerank.js";

const rerank = (id: string, path: string, version: string) =>
  route({
    id,
    method: "post",
    path,
    may: "store:read",
    tag: "Search",
    summary: `Rerank documents (Cohere's ${version})`,
    description:
      "Takes Cohere's format and passes it to the LiteLLM proxy. With `vector_store_id` instead of `documents`, searches that store and reranks its chunks.",
    body: rerankBody,
    example: {
      model: "rerank-v3.5",
      query: "How many days do I have for returns?",
      documents: ["Shipping is free for orders over $50.", "Returns are accepted within 30 days."],
      top_n: 1,
    },
    answer: rerankAnswer,
    handle: async ({ deps, caller, body, signal, parse, warn }) => {
      if (body.vector_store_id !== undefined) parse(rerankOfStoreBody, body, null);
      const question = readRerank(body);
      const result = await rerankDocuments(deps, caller, question, signal);
      if ("passed" in result) return result.passed;
      result.searched.warnings.forEach(warn);
      return presentReranked(question.model, result.searched);
    },
  });

/** LiteLLM's clients call either version. The proxy takes the fields of both on one path, so the handler is one. */
export const rerankRoutes = [
  rerank("rerankDocuments", "/rerank", "v1"),
  rerank("rerankDocumentsV2", "/v2/rerank", "v2"),
];
