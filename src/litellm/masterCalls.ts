import { BulkheadRejectedError, bulkhead } from "cockatiel";
import type { z } from "zod";
import { traceHeaders } from "../process/tracing.js";
import { ApiError, unavailable } from "../words/errors.js";
import type { Secret } from "../words/secret.js";
import { type Said, saidIn } from "./managementAnswers.js";

/** One LiteLLM worker answers about 60 such calls a second, and model calls need it, too. */
const atOnce = 8;
const mostWaiting = 200;
const limitMs = 10_000;

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** Calls of LiteLLM's management routes with its master key. @throws ApiError 503 if it does not answer */
export interface MasterCalls {
  readonly get: (path: string, query: Readonly<Record<string, string | number | null>>) => Promise<Answer>;
  readonly post: (path: string, body: object) => Promise<Answer>;
}

export function createMasterCalls(baseUrl: string, masterKey: Secret): MasterCalls {
  const slots = bulkhead(atOnce, mostWaiting);
  const call = async (path: string, init: RequestInit): Promise<Answer> => {
    try {
      return await slots.execute(async () => {
        const answer = await fetch(`${baseUrl}${path}`, {
          ...init,
          headers: {
            ...traceHeaders(),
            authorization: `Bearer ${masterKey.reveal()}`,
            "content-type": "application/json",
          },
          signal: AbortSignal.timeout(limitMs),
          redirect: "error",
        });
        return { status: answer.status, body: await answer.json().catch((): unknown => null) };
      });
    } catch (error) {
      if (error instanceof BulkheadRejectedError) throw away("is asked too much at once");
      throw away("does not answer", error);
    }
  };
  return {
    get: (path, query) => {
      // A space as %20: LiteLLM takes the + that URLSearchParams would write for a plus in a user's id.
      const given = Object.entries(query).flatMap(([name, value]) =>
        value === null ? [] : [`${name}=${encodeURIComponent(value)}`],
      );
      return call(`${path}?${given.join("&")}`, {});
    },
    post: (path, body) => call(path, { method: "POST", body: JSON.stringify(body) }),
  };
}

const away = (how: string, cause?: unknown) =>
  unavailable(`The LiteLLM proxy ${how}.`, { code: "litellm_unavailable", retryAfterSeconds: 5, cause });

/** LiteLLM's answer as the shape that it should have. @throws ApiError as `Management` */
export function readAnswer<T>(answer: Answer, shape: z.ZodType<T>, route: string): T {
  if (answer.status !== 200) throw refusal(answer, route);
  const parsed = shape.safeParse(answer.body);
  if (!parsed.success) throw away(`answered ${route} with something that is not understood`);
  return parsed.data;
}

/** Whether LiteLLM itself says that it does not have what was asked for. Another server knows no such route. */
export const isAbsent = ({ status, body }: Answer): boolean => status === 404 && !isNoRoute(saidIn(body));

const isNoRoute = (said: Said | null) => said === null || said.message === "Not Found";

/** The statuses by which LiteLLM refuses what was asked; any other one says that it fails. */
const refusing = [400, 403, 404, 409, 422];

function refusal({ status, body }: Answer, route: string): ApiError {
  const said = saidIn(body);
  if (status === 404 && isNoRoute(said)) return away(`has no route ${route}; is it LiteLLM?`);
  if (status === 401) return away(`does not accept this service's master key (${route})`);
  const about = `${status} to ${route}${said === null ? "" : `: ${said.message.slice(0, 300)}`}`;
  if (said === null || !refusing.includes(status)) return away(`answered ${about}`);
  // Its 403 is about the master key or a licence, not about the caller.
  return new ApiError(status === 403 ? 409 : status, `The LiteLLM proxy answered ${about}`, {
    code: "litellm_refused",
  });
}
