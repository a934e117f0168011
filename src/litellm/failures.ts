import { APIConnectionTimeoutError, APIError } from "openai";

/** Why one request to the provider failed. A value, not an exception: it is decided upon before anybody sees it. */
export interface Failure {
  /** `status`: an HTTP answer other than 2xx; `unusable`: a 2xx that is not JSON; `breaker`: not even asked. */
  readonly kind: "status" | "timeout" | "network" | "unusable" | "breaker";
  /** Of the HTTP answer; 0 for every other kind. */
  readonly status: number;
  /** The provider's own words: for recognising causes. Shown only to a caller who chose the model, never logged. */
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

/** What the `openai` client threw, as a Failure. `now` in Unix milliseconds resolves a Retry-After given as a date. */
export function readFailure(error: unknown, now: number): Failure {
  if (error instanceof APIConnectionTimeoutError) return failureOf("timeout");
  // By name: the parser of a fetched body may belong to another realm than this module.
  if (typeof error === "object" && error !== null && "name" in error && error.name === "SyntaxError") {
    return failureOf("unusable");
  }
  // A body cut off in mid-answer is a plain TypeError ("terminated"), a connection error like the client's own.
  if (!isApiError(error)) return failureOf("network");
  const { error: body, headers, message, type, code, param } = error;
  // What ends a stream in its midst has no status but in the `code` of LiteLLM's envelope.
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
 * Milliseconds to wait by `retry-after-ms` or `retry-after` (seconds or an HTTP date, RFC 9110 §10.2.3); LiteLLM hands its
 * upstream's header on with a prefix. null when there is none, or none that can be read.
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

/** The provider is in trouble, whoever asks and whatever is asked: this is what the breaker counts. */
export function isOutage(failure: Failure): boolean {
  return failure.kind === "network" || failure.kind === "timeout" || failure.status >= 500;
}

/** Worth another attempt: the `openai` client's own list, save an empty account, which time does not fill. */
export function isTransient(failure: Failure): boolean {
  if (failure.type === "insufficient_quota" || failure.code === "insufficient_quota") return false;
  return isOutage(failure) || [408, 409, 429].includes(failure.status);
}

/** LiteLLM says 422 (older versions 400) when a key, user or team has spent its budget. */
export function isOverBudget({ type, code }: Failure): boolean {
  return type === "budget_exceeded" || code === "budget_exceeded";
}

const refused = (failure: Failure) => failure.status === 400 || failure.status === 422;

/** The request was too large as a whole: fewer or shorter texts may pass. */
export function isTooLarge(failure: Failure): boolean {
  return failure.status === 413 || (refused(failure) && !isOverBudget(failure) && tooLarge.test(failure.message));
}
const tooLarge =
  /too (large|long|many)|maximum (context|allowed|number|input)|context[ _]length|max(imum)?[ _](input[ _])?tokens|batch[ _]?size|at most \d+|max_client_batch/i;

/** The limit was the number of texts and not their length, so it holds for every later request too. */
export function isTooMany(failure: Failure): boolean {
  return (
    isTooLarge(failure) && /batch|inputs|items|at most \d+/i.test(failure.message) && !/token/i.test(failure.message)
  );
}

/** Refused for what may be the fault of one text alone, so that the others may pass without it. */
export function mayConcernOneText(failure: Failure): boolean {
  if (failure.status === 413) return true;
  return refused(failure) && !isOverBudget(failure) && failure.type !== "no_db_connection" && !refusesModel(failure);
}

/** The model's name is unknown, LiteLLM's 400 where OpenAI says 404: no text would pass. */
export function refusesModel({ code, param, message }: Failure): boolean {
  return code === "model_not_found" || param === "model" || /invalid model/i.test(message);
}

/** `encoding_format` is not to the provider's liking. */
export function refusesEncoding(failure: Failure): boolean {
  return refused(failure) && /encoding[_ ]?format|base64/i.test(`${failure.param ?? ""} ${failure.message}`);
}

/** `dimensions` is not to the provider's liking; LiteLLM: 400 UnsupportedParamsError for most models. */
export function refusesDimensions(failure: Failure): boolean {
  return refused(failure) && /dimension|UnsupportedParams/i.test(`${failure.param ?? ""} ${failure.message}`);
}
