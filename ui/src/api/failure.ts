/** An answer that is not one of success, or none at all. */
export class Failure extends Error {
  override readonly name = "Failure";

  constructor(
    /** What the service says, in English. */
    message: string,
    /** The HTTP status; 0: no answer came. */
    readonly status: number,
    readonly code: string | null,
    /** The field that was wrong. */
    readonly param: string | null,
    /** What the service's log calls the request. */
    readonly requestId: string | null,
    readonly retryAfterSeconds: number | null,
  ) {
    super(message);
  }
}

/** From an answer's body, which is OpenAI's envelope unless something before the service has answered. */
export function failureOf(response: Response, body: unknown): Failure {
  const error = errorIn(body);
  const retryAfter = Number(response.headers.get("retry-after") ?? Number.NaN);
  return new Failure(
    error.message ?? `${response.status} ${response.statusText}`.trim(),
    response.status,
    error.code ?? null,
    error.param ?? null,
    response.headers.get("x-request-id"),
    Number.isFinite(retryAfter) ? retryAfter : null,
  );
}

/** @param code `broken_off`: an answer had begun */
export const noAnswer = (error: unknown, code: "no_answer" | "broken_off" = "no_answer"): Failure =>
  new Failure(error instanceof Error ? error.message : String(error), 0, code, null, null, null);

/** No answer came in the time that the page waits for one. */
export const timedOut = (seconds: number): Failure =>
  new Failure(`No answer came within ${seconds} seconds.`, 0, "timed_out", null, null, null);

/** An answer of success that cannot be read. Its status would be misleading, so it is left out. */
export const brokenAnswer = (requestId: string | null): Failure =>
  new Failure("The answer cannot be read.", 0, "broken_answer", null, requestId, null);

/** Whether there is no such file, or none that the caller may see; a vector store that is gone has a code. */
export const isUnknownFile = (error: unknown): boolean =>
  error instanceof Failure && error.status === 404 && error.code === null && error.param === "id";

/** Whether the service says that a vector store is not there, or not for the caller. */
export const isUnknownStore = (error: unknown): boolean =>
  error instanceof Failure &&
  error.status === 404 &&
  error.code === "not_found" &&
  (error.param === "id" || error.param === "vector_store_id");

/** What the service says, which is in English whatever the language of the page. */
export interface Said {
  english: string;
}

/** What the service says of each field, by the beginning of its path; null: nothing. */
export const messagesIn =
  (error: Error | null) =>
  (param: string): Said | null =>
    error instanceof Failure && error.param?.startsWith(param) === true ? { english: error.message } : null;

type Envelope = Partial<Record<"message" | "code" | "param", string>>;

function errorIn(body: unknown): Envelope {
  const error: unknown = isRecord(body) ? body.error : undefined;
  if (!isRecord(error)) return {};
  const text = (name: string) => (typeof error[name] === "string" ? error[name] : undefined);
  const [message, code, param] = [text("message"), text("code"), text("param")];
  return {
    ...(message !== undefined && { message }),
    ...(code !== undefined && { code }),
    ...(param !== undefined && { param }),
  };
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
