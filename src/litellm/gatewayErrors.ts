import { ApiError, TextError } from "../words/errors.js";
import { type Failure, refusesModel } from "./failures.js";

/**
 * What the proxy was asked for, as named in messages. `timeLimit`: the setting for the time limit. `texts`: the field
 * of the request that holds the model's input; null if it depends on the route.
 */
export interface Asked {
  readonly provider: string;
  readonly purpose: string;
  readonly timeLimit: string;
  readonly texts: string | null;
}

/** 502: an invalid answer, or a refusal that only the operator can fix. */
export function badGateway(message: string, retryAfterSeconds?: number): ApiError {
  return new ApiError(502, message, { code: "bad_gateway", retryAfterSeconds });
}

/** 504: no answer within the time limit. */
export const gatewayTimeout = ({ provider, timeLimit }: Asked) =>
  new ApiError(504, `${provider} did not answer in time (${timeLimit}).`, {
    code: "gateway_timeout",
  });

/** 429, with the provider's Retry-After. */
export const rateLimited = (failure: Failure, message: string) =>
  new ApiError(429, message, {
    type: "rate_limit_error",
    code: "rate_limit_exceeded",
    retryAfterSeconds: wholeSeconds(failure.retryAfterMs),
  });

/** 400: a text is longer than the model reads. @param index of the text among those of the request */
export const textTooLong = (index: number, model: string) =>
  new TextError(index, 400, `The text is longer than the embedding model '${model}' accepts.`, {
    param: "input",
    code: tooLongCode,
  });
/** 502: the model fails on one text, although it answers for others. */
export const textFailed = (index: number, model: string, { kind, status }: Failure) =>
  new TextError(
    index,
    502,
    `The embedding model '${model}' fails on this text (${kind === "status" ? `HTTP ${status}` : kind}), although it answers for others.`,
    { code: "text_failed" },
  );
/** 400: the model refuses this text, although it takes others. */
export const textRefused = (index: number, model: string, { status, message }: Failure) =>
  new TextError(index, 400, `The embedding model '${model}' refuses this text (HTTP ${status}): ${readable(message)}`, {
    param: "input",
    code: "text_refused",
  });
/** The same error, marked as one that lasts until somebody changes the model, the key or their settings. */
export const lasting = (error: ApiError): ApiError =>
  error.status < 500 ? error : new ApiError(error.status, error.message, { ...error.details, code: "model_refused" });
export const tooLongCode = "context_length_exceeded";

/** The provider's refusal, passed on: status, message, param and code. */
export const refusalOf = (failure: Failure) =>
  new ApiError(failure.status, readable(failure.message), {
    // LiteLLM leaves `param` out.
    param: failure.param ?? (refusesModel(failure) ? "model" : null),
    // LiteLLM repeats the status in `code`.
    code:
      failure.code === null || /^\d+$/.test(failure.code)
        ? refusesModel(failure)
          ? "model_not_found"
          : codes[failure.status]
        : failure.code,
  });
const codes: Partial<Record<number, string>> = { 403: "permission_denied", 404: "model_not_found" };

/** Retry-After in seconds, at least 1; undefined if the provider did not say. */
export const wholeSeconds = (milliseconds: number | null) =>
  milliseconds === null ? undefined : Math.max(1, Math.ceil(milliseconds / 1000));

/** At most 500 characters of the provider's message: no Python stack, and nothing that looks like a key. */
export function readable(message: string): string {
  const sentence = message
    .replace(/\s*Traceback \(most recent call last\)[^]*/, "")
    .replace(/\b(sk-|Bearer )[\w.*…-]{4,}/gi, "$1[redacted]");
  return sentence.length <= 500 ? sentence : `${sentence.slice(0, 499)}…`;
}
