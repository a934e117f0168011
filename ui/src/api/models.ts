import { queryOptions } from "@tanstack/react-query";
import { answered, api } from "./client.js";

const staleTime = 5 * 60_000;

/** Models that the caller's key may use, by what they do. */

export const embeddingModels = queryOptions({
  queryKey: ["models", "embedding"],
  queryFn: ({ signal }) => answered(api.GET("/v1/embeddings/models", { signal })),
  staleTime,
});

export const rerankModels = queryOptions({
  queryKey: ["models", "rerank"],
  queryFn: ({ signal }) => answered(api.GET("/v1/rerank/models", { signal })),
  staleTime,
});

export const allModels = queryOptions({
  queryKey: ["models", "all"],
  queryFn: ({ signal }) => answered(api.GET("/v1/models", { signal })),
  staleTime,
});
