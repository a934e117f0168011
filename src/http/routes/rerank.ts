import { rerankDocuments } from "../../core/search/rerankDocuments.js";
import { route } from "../route.js";
import { presentReranked, readRerank, rerankAnswer, rerankBody } from "../wire/rerank.js";

export const rerankRoutes = [
  route({
    method: "post",
    path: "/rerank",
    may: "store:read",
    tag: "Search",
    summary: "Put documents in order by a rerank model",
    description:
      "Cohere's shape, passed to the LiteLLM proxy as it is. With `vector_store_id` in place of `documents` the chunks of that store are searched first.",
    body: rerankBody,
    answer: rerankAnswer,
    handle: async ({ deps, caller, body, signal }) => {
      const question = readRerank(body);
      const result = await rerankDocuments(deps, caller, question, signal);
      return "passed" in result ? result.passed : presentReranked(question.model, result.found);
    },
  }),
];
