import { rerankDocuments } from "../../core/search/rerankDocuments.js";
import { route } from "../route.js";
import { presentReranked, readRerank, rerankAnswer, rerankBody } from "../wire/rerank.js";

export const rerankRoutes = [
  route({
    method: "post",
    path: "/rerank",
    may: "store:read",
    tag: "Search",
    summary: "Rerank documents",
    description:
      "Takes Cohere's format and passes it to the LiteLLM proxy. With `vector_store_id` instead of `documents`, searches that store and reranks its chunks.",
    body: rerankBody,
    answer: rerankAnswer,
    handle: async ({ deps, caller, body, signal }) => {
      const question = readRerank(body);
      const result = await rerankDocuments(deps, caller, question, signal);
      return "passed" in result ? result.passed : presentReranked(question.model, result.found);
    },
  }),
];
