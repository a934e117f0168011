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
      "`ranking_options` choose the search mode (`vector`, `keyword`, `hybrid`), the recall, diversity and neighbours. In vector mode the score is " +
      "1 − cosine distance / 2; it always is in 0…1. `rerank` is accepted and answered with `reranked: false`: the order is that of the vectors.",
    params: storeParams,
    body: searchBody,
    answer: searchAnswer,
    handle: async ({ deps, caller, params, body, res, signal, startedAt }) => {
      const request = readSearch(body);
      const { hits, spent } = await search(deps, caller, params.vector_store_id, request, signal);
      const total = performance.now() - startedAt;
      res.set(
        "server-timing",
        `db;dur=${spent.database.toFixed(2)}, model;dur=${spent.model.toFixed(2)}, total;dur=${total.toFixed(2)}`,
      );
      if (body.rerank === true)
        res.set(
          "x-vector-store-warning",
          "not reranked: this server has no reranker; results are in the order of vector scores",
        );
      return presentSearch(body, request, hits);
    },
  }),
];
