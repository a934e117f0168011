import { ApiError, unavailable } from "../errors.js";
import type { Failure } from "./failures.js";
import { isOverBudget } from "./failures.js";

/**
 * The error our caller sees for a request this service made on its own account, with the model of its settings: refusals
 * are faults of the settings (502), for the caller cannot mend them. Sentences are ours; the provider's are not repeated.
 */
export function serviceError(failure: Failure, model: string): ApiError {
  return (
    commonError(failure) ??
    badGateway(
      failure.status === 403
        ? `The embedding provider does not let the service's key use the model '${model}'. Check EMBEDDING__API_KEY (or LITELLM_MASTER_KEY) and EMBEDDING__MODEL.`
        : `The embedding provider refused the request for model '${model}' (HTTP ${failure.status}). Check that EMBEDDING__MODEL names an embedding model it serves.`,
    )
  );
}

/** The error for a request whose caller named the model: the provider's refusal is theirs to read, status and message. */
export function passedOnError(failure: Failure): ApiError {
  if (failure.kind === "status" && failure.status === 429) return rateLimited(failure, readable(failure.message));
  return (
    commonError(failure) ??
    new ApiError(failure.status, readable(failure.message), {
      param: failure.param,
      // LiteLLM repeats the status in `code`.
      code: failure.code === null || /^\d+$/.test(failure.code) ? codes[failure.status] : failure.code,
    })
  );
}
const codes: Partial<Record<number, string>> = { 403: "permission_denied", 404: "model_not_found" };

/** What is the same for both; null for a refusal of what was asked. */
function commonError(failure: Failure): ApiError | null {
  const retryAfterSeconds = wholeSeconds(failure.retryAfterMs);
  switch (failure.kind) {
    case "timeout":
      return gatewayTimeout();
    case "network":
      return unavailable("The embedding provider cannot be reached at the moment.");
    case "breaker":
      return unavailable(
        "The embedding provider has failed several times in a row and is left alone for some seconds.",
        {
          retryAfterSeconds,
        },
      );
    case "unusable":
      return badGateway(
        "The embedding provider's answer is not JSON. Check EMBEDDING__BASE_URL (or LITELLM_PROXY_URL).",
      );
    case "status":
      break;
  }
  if (failure.type === "no_db_connection") {
    return unavailable(
      "The LiteLLM proxy cannot check the service's key because it has no database connection. If it runs without a database, EMBEDDING__API_KEY must be its master key.",
      { retryAfterSeconds },
    );
  }
  if (isOverBudget(failure)) {
    return new ApiError(422, "The budget for embeddings at the LiteLLM proxy is spent.", { code: "budget_exceeded" });
  }
  if (failure.status === 401) {
    return badGateway(
      "The embedding provider does not accept the service's own key. Check EMBEDDING__API_KEY (or LITELLM_MASTER_KEY).",
    );
  }
  if (failure.status === 408) return gatewayTimeout();
  if (failure.status === 429) {
    return rateLimited(failure, "The embedding provider's rate limit is reached. Try again later.");
  }
  if (failure.status >= 500) {
    return badGateway(`The embedding provider failed (HTTP ${failure.status}).`, retryAfterSeconds);
  }
  return null;
}

/** 502: an answer that cannot be used, or a refusal that only the operator can mend. */
export function badGateway(message: string, retryAfterSeconds?: number): ApiError {
  return new ApiError(502, message, { code: "bad_gateway", retryAfterSeconds });
}

const gatewayTimeout = () =>
  new ApiError(504, "The embedding provider did not answer in time (EMBEDDING__TIMEOUT_SECONDS).", {
    code: "gateway_timeout",
  });

const rateLimited = (failure: Failure, message: string) =>
  new ApiError(429, message, {
    type: "rate_limit_error",
    code: "rate_limit_exceeded",
    retryAfterSeconds: wholeSeconds(failure.retryAfterMs),
  });

const wholeSeconds = (milliseconds: number | null) =>
  milliseconds === null ? undefined : Math.max(1, Math.ceil(milliseconds / 1000));

/** At most 500 characters of the provider's sentence: no Python stack, and nothing that looks like a key. */
function readable(message: string): string {
  const sentence = message
    .replace(/\s*Traceback \(most recent call last\)[^]*/, "")
    .replace(/\b(sk-|Bearer )[\w.*…-]{4,}/gi, "$1[redacted]");
  return sentence.length <= 500 ? sentence : `${sentence.slice(0, 499)}…`;
}
