import { ApiError, invalid, unavailable } from "../words/errors.js";
import type { Failure } from "./failures.js";
import { isOverBudget, refusesModel } from "./failures.js";

/** A model together with where its name stands, which is where the operator has to look when it is refused. */
export interface NamedModel {
  readonly model: string;
  readonly namedBy: "settings" | "store";
}

/** What was asked of the proxy, for the sentences; `timeLimit` is the setting that ends it. */
export interface Asked {
  readonly provider: string;
  readonly purpose: string;
  readonly timeLimit: string;
}
const embedding: Asked = {
  provider: "The embedding provider",
  purpose: "embeddings",
  timeLimit: "EMBEDDING__TIMEOUT_SECONDS",
};

/**
 * The error our caller sees for a request this service made on its own account: refusals are faults of the settings or of
 * the store (502), for the caller cannot mend them. Sentences are ours; the provider's are not repeated.
 */
export function serviceError(failure: Failure, named: NamedModel): ApiError {
  return commonError(failure) ?? badGateway(failure.status === 403 ? notAllowed(named) : notServed(named, failure));
}

const notAllowed = ({ model, namedBy }: NamedModel) =>
  `The embedding provider does not let the service's key use the model '${model}'. ` +
  (namedBy === "settings"
    ? "Check EMBEDDING__API_KEY (or LITELLM_MASTER_KEY) and EMBEDDING__MODEL."
    : "Check EMBEDDING__API_KEY (or LITELLM_MASTER_KEY) and the store's embedding_model.");

const notServed = ({ model, namedBy }: NamedModel, { status }: Failure) =>
  `The embedding provider refused the request for model '${model}' (HTTP ${status}). ` +
  (namedBy === "settings"
    ? "Check that EMBEDDING__MODEL names an embedding model it serves."
    : "Check that the store's embedding_model names an embedding model the proxy serves.");

/** 502: the model answers vectors of another length than it is used with. */
export function lengthError({ model, namedBy }: NamedModel, answered: number, expected: number): ApiError {
  return badGateway(
    `The model '${model}' answers vectors of ${answered} dimensions, but ` +
      (namedBy === "settings"
        ? `this service is set to ${expected}. Set EMBEDDING__DIMENSIONS to the model's number.`
        : `the store's embedding_dimensions is ${expected}. Check which model the proxy serves by this name.`),
  );
}

/** The error for a model a caller wants a store to have: what the provider refuses about it is theirs to correct (400). */
export function choiceError(failure: Failure, model: string): ApiError {
  return (
    commonError(failure) ??
    invalid(
      "embedding_model",
      `the proxy does not embed with the model '${model}' (HTTP ${failure.status}): ${readable(failure.message)}`,
    )
  );
}

/** The error for a request whose caller named the model: the provider's refusal is theirs to read, status and message. */
export function passedOnError(failure: Failure, asked = embedding): ApiError {
  if (failure.kind === "status" && failure.status === 429) return rateLimited(failure, readable(failure.message));
  return (
    commonError(failure, asked) ??
    new ApiError(failure.status, readable(failure.message), {
      // LiteLLM does not say it.
      param: failure.param ?? (refusesModel(failure) ? "model" : null),
      // LiteLLM repeats the status in `code`.
      code:
        failure.code === null || /^\d+$/.test(failure.code)
          ? refusesModel(failure)
            ? "model_not_found"
            : codes[failure.status]
          : failure.code,
    })
  );
}
const codes: Partial<Record<number, string>> = { 403: "permission_denied", 404: "model_not_found" };

/** The same for a model that the settings or a store name, which only the operator can mend: 502. */
export function refusedError(failure: Failure, asked: Asked, model: string, where: string): ApiError {
  return (
    commonError(failure, asked) ??
    badGateway(
      failure.status === 403
        ? `${asked.provider} does not let the service's key use the model '${model}'. Check EMBEDDING__API_KEY (or LITELLM_MASTER_KEY) and ${where}.`
        : `${asked.provider} refused the request for model '${model}' (HTTP ${failure.status}): ${readable(failure.message)} Check ${where}.`,
    )
  );
}

/** What is the same for all; null for a refusal of what was asked. */
function commonError(failure: Failure, { provider, purpose, timeLimit } = embedding): ApiError | null {
  const retryAfterSeconds = wholeSeconds(failure.retryAfterMs);
  switch (failure.kind) {
    case "timeout":
      return gatewayTimeout(provider, timeLimit);
    case "network":
      return unavailable(`${provider} cannot be reached at the moment.`);
    case "breaker":
      return unavailable(`${provider} has failed several times in a row and is left alone for some seconds.`, {
        retryAfterSeconds,
      });
    case "unusable":
      return badGateway(`${provider}'s answer is not JSON. Check EMBEDDING__BASE_URL (or LITELLM_PROXY_URL).`);
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
    return new ApiError(422, `The budget for ${purpose} at the LiteLLM proxy is spent.`, { code: "budget_exceeded" });
  }
  if (failure.status === 401) {
    return badGateway(
      `${provider} does not accept the service's own key. Check EMBEDDING__API_KEY (or LITELLM_MASTER_KEY).`,
    );
  }
  if (failure.status === 408) return gatewayTimeout(provider, timeLimit);
  if (failure.status === 429) {
    return rateLimited(failure, `${provider}'s rate limit is reached. Try again later.`);
  }
  if (failure.status >= 500) {
    return badGateway(`${provider} failed (HTTP ${failure.status}).`, retryAfterSeconds);
  }
  return null;
}

/** 502: an answer that cannot be used, or a refusal that only the operator can mend. */
export function badGateway(message: string, retryAfterSeconds?: number): ApiError {
  return new ApiError(502, message, { code: "bad_gateway", retryAfterSeconds });
}

const gatewayTimeout = (provider: string, timeLimit: string) =>
  new ApiError(504, `${provider} did not answer in time (${timeLimit}).`, {
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
