import { searchStores } from "../../core/search/searchStores.js";
import { route } from "../route.js";
import { setTimes } from "../answerHeaders.js";
import { storeParams } from "../wire/common.js";
import { presentSearch, readSearch, searchAnswer, searchBody } from "../wire/search.js";

export const searchRoutes = [
  route({
    id: "searchVectorStore",
    method: "post",
    path: "/vector_stores/:vector_store_id/search",
    may: "store:search",
    litellm: "search",
    tag: "Search",
    summary: "Search a vector store",
    description:
      "Accepts the dialects of OpenAI and LiteLLM (`max_num_results`), litellm-pgvector (`limit`) and litellm-vector-store (`top_k`). " +
      "`ranking_options` sets the search mode (`vector`, `keyword`, `hybrid`), recall, diversity and neighbouring chunks. Scores are always in 0…1; in " +
      "vector mode the score is 1 − cosine distance / 2. With `rerank`, a model of the proxy orders the best results; if it fails, the answer says " +
      "`reranked: false`, and the header `x-vector-store-warning` says why.",
    params: storeParams,
    body: searchBody,
    example: {
      query: "How many days do I have for returns?",
      max_num_results: 5,
      filters: { type: "eq", key: "category", value: "returns" },
    },
    answer: searchAnswer,
    handle: async ({ deps, caller, params, body, res, signal, startedAt, warn }) => {
      const result = await searchStores(deps, caller, [params.vector_store_id], readSearch(body), signal);
      setTimes(res, result.spent, startedAt);
      result.warnings.forEach(warn);
      return presentSearch(body, result);
    },
  }),
];
