import { APIConnectionTimeoutError, APIError } from "openai";
import { saysTooLong } from "./tooLong.js";

/**
 * Why one request to the provider failed. A value, not an exception, because retries and the breaker inspect it first.
 */
export interface Failure {
  /** `status`: an HTTP answer other than 2xx; `unusable`: a 2xx that is not JSON; `breaker`: no request was made. */
  readonly kind: "status" | "timeout" | "network" | "unusable" | "breaker";
  /** The HTTP status; 0 for every other kind. */
  readonly status: number;
  /**
   * The provider's message. It shows the cause, but may quote texts: only whoever chose the model or owns the key sees
   * it, no log does.
   */
  readonly message: string;
  readonly type: string | null;
  readonly code: string | null;
  readonly param: string | null;
  /** How long the provider asked us to wait. */
  readonly retryAfterMs: number | null;
}

export type Outcome<T> = { readonly value: T } | { readonly failure: Failure };

/** A failure without an HTTP answer. */
export function failureOf(kind: Exclude<Failure["kind"], "status">, retryAfterMs: number | null = null): Failure {
  return { kind, status: 0, message: "", type: null, code: null, param: null, retryAfterMs };
}

/**
 * Turns what the `openai` client threw into a Failure. `now` in Unix milliseconds resolves a Retry-After given as a
 * date.
 */
export function readFailure(error: unknown, now: number): Failure {
  if (error instanceof APIConnectionTimeoutError) return failureOf("timeout");
  // By name, because the parser of a fetched body may belong to another realm, where instanceof fails.
  if (typeof error === "object" && error !== null && "name" in error && error.name === "SyntaxError") {
    return failureOf("unusable");
  }
  // An answer whose body ends early is a plain TypeError ("terminated"), a connection error like the client's own.
  if (!isApiError(error)) return failureOf("network");
  const { error: body, headers, message, type, code, param } = error;
  // An error in the middle of a stream has its status only in the `code` of LiteLLM's envelope.
  const status = error.status ?? (/^[45]\d\d$/.test(code ?? "") ? Number(code) : undefined);
  if (status === undefined) return failureOf("network");
  return {
    kind: "status",
    status,
    message: readMessage(body) ?? message,
    type: text(type),
    code: text(code),
    param: text(param),
    retryAfterMs: headers === undefined ? null : readRetryAfter(headers, now),
  };
}

const isApiError = (error: unknown): error is APIError => error instanceof APIError;

/** LiteLLM and OpenAI send an object with a message; text-embeddings-inference a bare string. */
function readMessage(body: unknown): string | null {
  if (typeof body === "object" && body !== null && "message" in body) return text(body.message);
  return text(body);
}

const text = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null);

/**
 * Milliseconds to wait by `retry-after-ms` or `retry-after` (seconds or an HTTP date, RFC 9110 §10.2.3). LiteLLM passes
 * its provider's header on with a prefix. null when the header is missing or unreadable.
 */
export function readRetryAfter(headers: Headers, now: number): number | null {
  const milliseconds = headers.get("retry-after-ms");
  if (milliseconds !== null && /^\d+(\.\d+)?$/.test(milliseconds)) return Number(milliseconds);
  const value = headers.get("retry-after") ?? headers.get("llm_provider-retry-after");
  if (value === null) return null;
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}

/** The provider is failing, independently of the request: the breaker counts it, unless it concerns a key. */
export function isOutage(failure: Failure): boolean {
  if (isTooLong(failure)) return false;
  return failure.kind === "network" || failure.kind === "timeout" || failure.status >= 500;
}

/** A text of the request is longer than the model reads, whatever the status. */
export const isTooLong = (failure: Failure): boolean => !concernsKey(failure) && saysTooLong(failure);

/**
 * The proxy refused a key, or could not check it. This says nothing about the model or other callers, so requests must
 * not adapt to it and no breaker counts it. A 429 may be the key's limit or the model's.
 */
export function concernsKey(failure: Failure): boolean {
  return [401, 403, 429].includes(failure.status) || isOverBudget(failure) || failure.type === "no_db_connection";
}

/** Worth another attempt: the `openai` client's own list, except an empty account, which waiting does not fill. */
export function isTransient(failure: Failure): boolean {
  if (failure.type === "insufficient_quota" || failure.code === "insufficient_quota") return false;
  return isOutage(failure) || [408, 409, 429].includes(failure.status);
}

/** LiteLLM says 422 (older versions 400) when a key, user or team has spent its budget. */
export function isOverBudget({ type, code }: Failure): boolean {
  return type === "budget_exceeded" || code === "budget_exceeded";
}

/** Something in the request is wrong. Refusals of the key do not count: the request itself may be fine. */
const refused = (failure: Failure) => (failure.status === 400 || failure.status === 422) && !concernsKey(failure);

/** The request as a whole was too large: fewer or shorter texts may pass. */
export function isTooLarge(failure: Failure): boolean {
  return failure.status === 413 || isTooLong(failure) || (refused(failure) && tooLarge.test(failure.message));
}
const tooLarge =
  /too (large|long|many)|maximum (context|allowed|number|input)|context[ _]length|max(imum)?[ _](input[ _])?tokens|batch[ _]?size|at most \d+|max_client_batch/i;

/** The limit was the number of texts, not their length, so it holds for every later request too. */
export function isTooMany(failure: Failure): boolean {
  return (
    isTooLarge(failure) && /batch|inputs|items|at most \d+/i.test(failure.message) && !/token/i.test(failure.message)
  );
}

/** One text alone may be at fault, so the others may pass without it. */
export const mayConcernOneText = (failure: Failure): boolean =>
  failure.status === 413 || isTooLong(failure) || mayRefuseText(failure);

/** The provider refuses a text, for example for its content, or else every text, for example for a parameter. */
export const mayRefuseText = (failure: Failure): boolean => refused(failure) && !refusesModel(failure);

/** An outage, or one text on which the model fails; an open breaker does not say which. */
export const mayFailOnText = (failure: Failure): boolean =>
  failure.kind === "breaker" || (isOutage(failure) && !concernsKey(failure));

/** Waiting does not help: someone must change the model, the key, or how they are set. */
export const isLasting = (failure: Failure): boolean =>
  failure.kind === "status" && failure.status < 500 && !isTransient(failure);

/** The provider does not know the model's name (LiteLLM: 400, OpenAI: 404), so no text would pass. */
export function refusesModel({ code, param, message }: Failure): boolean {
  return code === "model_not_found" || param === "model" || /invalid model/i.test(message);
}

/** The provider does not take this `encoding_format`. */
export function refusesEncoding(failure: Failure): boolean {
  return refused(failure) && /encoding[_ ]?format|base64/i.test(`${failure.param ?? ""} ${failure.message}`);
}

/** The provider does not take `dimensions`; LiteLLM answers 400 UnsupportedParamsError for most models. */
export function refusesDimensions(failure: Failure): boolean {
  const said = `${failure.param ?? ""} ${failure.message}`;
  return refused(failure) && (/dimension/i.test(said) || (/UnsupportedParams/i.test(said) && !inputType.test(said)));
}

/** A refusal that names the parameter `input_type`. */
export const namesInputType = (failure: Failure): boolean =>
  refused(failure) && inputType.test(`${failure.param ?? ""} ${failure.message}`);
const inputType = /input_?type/i;
