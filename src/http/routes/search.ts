import { search } from "../../core/search.js";
import { route } from "../route.js";
import { storeParams } from "../wire/common.js";
import { presentSearch, readSearch, searchAnswer, searchBody } from "../wire/search.js";

export const searchRoutes = [
  route({
    method: "post",
    path: "/vector_stores/:vector_store_id/search",
    may: "store:read",
    tag: "Search",
    summary: "Search a vector store",
    description:
      "Takes the dialects of OpenAI and LiteLLM (`max_num_results`), litellm-pgvector (`limit`) and litellm-vector-store (`top_k`). " +
      "The score is 1 − cosine distance / 2, in 0…1. `rerank` is accepted and answered with `reranked: false`: the order is that of the vectors.",
    params: storeParams,
    body: searchBody,
    answer: searchAnswer,
    handle: async ({ deps, caller, params, body, res, signal }) => {
      const request = readSearch(body);
      const hits = await search(deps, caller, params.vector_store_id, request, signal);
      if (body.rerank === true)
        res.set(
          "x-vector-store-warning",
          "not reranked: this server has no reranker; results are in the order of vector scores",
        );
      return presentSearch(body, request, hits);
    },
  }),
];
