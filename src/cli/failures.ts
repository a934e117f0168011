import { APIConnectionError, APIConnectionTimeoutError, APIError } from "openai";
import { CommandError } from "./io.js";
import { connectionCode, hasMessage, printable } from "../words/readable.js";

/** Where the server is. `from` says what named it, for messages about a server that does not answer. */
export interface Address {
  /** Root of the API, without `/v1`. */
  url: string;
  from: "--url" | "VECTOR_STORE_URL" | "the settings";
}

/** What a command calls the API's fields: `{ max_num_results: "--limit" }`. */
export type FieldNames = Readonly<Record<string, string>>;

/** Why a request to the server failed, as one sentence that says what to do. Other errors are returned unchanged. */
export function explainFailure(
  error: unknown,
  { url, from }: Address,
  keyFrom: string,
  fields: FieldNames = {},
): unknown {
  const otherwise =
    from === "--url"
      ? "check --url"
      : from === "VECTOR_STORE_URL"
        ? "check VECTOR_STORE_URL"
        : "name it with --url or VECTOR_STORE_URL";
  if (error instanceof Error && error.cause instanceof CommandError) return error.cause;
  if (error instanceof APIConnectionTimeoutError) {
    return new CommandError(`The server at ${url} did not answer in time. Look at its log, or ${otherwise}.`);
  }
  if (error instanceof APIConnectionError) {
    return new CommandError(
      `No server answers at ${url} (${connectionCode(error)}). Start it with "vector-store serve", or ${otherwise}.`,
    );
  }
  if (!(error instanceof APIError) || typeof error.status !== "number") {
    // The client throws this for a body that is not JSON although its header says so.
    return nameOf(error) === "SyntaxError" ? notOurs(url, "without usable JSON", otherwise) : error;
  }
  const status = error.status;
  if (status >= 300 && status < 400) {
    const headers: unknown = error.headers;
    const target = headers instanceof Headers ? headers.get("location") : null;
    return new CommandError(
      `${url} redirects its callers${target === null ? "" : ` to ${printable(target)}`}. Use that address: ${otherwise}.`,
    );
  }
  const body: unknown = error.error;
  const message = typeof body === "object" && body !== null && "message" in body ? body.message : null;
  if (typeof message !== "string") return notOurs(url, `with HTTP ${status}`, otherwise);
  if (status === 401) {
    return new CommandError(
      `The server at ${url} does not accept the key from ${keyFrom}. Give it the server's own key (its SERVER_API_KEY, or the file server-key in its DATA_DIR) with --key or VECTOR_STORE_KEY.`,
    );
  }
  const sentence = printable(withOption(message, error.param ?? "", fields)).slice(0, 1000);
  if (error.code === "not_found" && error.param === "vector_store_id") {
    return new CommandError(`${sentence} To see all: vector-store stores list`);
  }
  return new CommandError(`${sentence} (HTTP ${status} from ${url})`);
}

/** The server's message, beginning with the option that set the field at fault. */
function withOption(message: string, param: string, fields: FieldNames): string {
  const field = Object.keys(fields).find(
    (each) => param.startsWith(each) && /^($|[.[])/.test(param.slice(each.length)),
  );
  const option = field === undefined ? undefined : fields[field];
  if (option === undefined) return message;
  return `${option}: ${param === field && message.startsWith(`${param}: `) ? message.slice(param.length + 2) : message}`;
}

/** For an answer that our server never gives. */
export function notOurs(url: string, how: string, otherwise = "check --url or VECTOR_STORE_URL"): CommandError {
  return new CommandError(
    `${url} answers ${how}, which a vector store server never does: another program listens there. Please ${otherwise}.`,
  );
}

const nameOf = (error: unknown) => (hasMessage(error) && "name" in error ? error.name : null);
