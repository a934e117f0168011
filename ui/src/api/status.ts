import { queryOptions, useQueryClient } from "@tanstack/react-query";
import { useAction } from "./once.js";
import { type Schemas, answered, api } from "./client.js";
import { failureOf, noAnswer } from "./failure.js";

export type Health = Schemas["Health"];
export type ServiceStatus = Schemas["ServiceStatus"];
export type Diagnosis = Schemas["Diagnosis"];
export type Finding = Diagnosis["checks"][number];
export type Setting = Schemas["Setting"];

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

/** What only administrators see of it: counts, the queue, the proxy. */
export const serviceStatus = queryOptions({
  queryKey: ["status", "service"],
  queryFn: ({ signal }) => answered(api.GET("/v1/admin/status", { signal })),
  refetchInterval,
});

/** What the doctor says, and whether it has tried the embedding model, too. */
interface Examined extends Diagnosis {
  probed: boolean;
}

const doctorKey = ["status", "doctor"];
const examine = async (probe: boolean, signal?: AbortSignal): Promise<Examined> => {
  const query = { probe: probe ? ("true" as const) : ("false" as const) };
  const said = await answered(api.GET("/v1/admin/doctor", { params: { query }, ...(signal && { signal }) }));
  return { ...said, probed: probe };
};

/** It reads counts of large tables and asks the proxy, so it is asked again only when somebody wants it. */
export const diagnosis = queryOptions({
  queryKey: doctorKey,
  queryFn: ({ signal }) => examine(false, signal),
  staleTime: 300_000,
});

/** Also embeds a short text, for which a provider may charge. */
export function useProbe() {
  const queries = useQueryClient();
  return useAction({
    mutationFn: () => examine(true),
    onSuccess: (said) => queries.setQueryData(diagnosis.queryKey, said),
  });
}

/** The settings of the process that answers; they change only when it starts again. */
export const settingList = queryOptions({
  queryKey: ["status", "settings"],
  queryFn: async ({ signal }) => (await answered(api.GET("/v1/admin/settings", { signal }))).data,
});
