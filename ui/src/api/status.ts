import { queryOptions } from "@tanstack/react-query";
import { type Schemas, api } from "./client.js";
import { failureOf, noAnswer } from "./failure.js";

export type Health = Schemas["Health"];

const refetchInterval = 15_000;

/** How the service and what it needs do; an answer of 503 says it, too. */
export const health = queryOptions({
  queryKey: ["status", "health"],
  queryFn: async ({ signal }): Promise<Health> => {
    const { data, error, response } = await api.GET("/health", { signal, baseUrl: "/v1" }).catch((failure: unknown) => {
      if (signal.aborted) throw failure;
      throw noAnswer(failure);
    });
    const said = data ?? (response.status === 503 ? error : undefined);
    if (said === undefined || !("database" in said)) throw failureOf(response, error);
    return said;
  },
  refetchInterval,
});
