/**
 * The only error that callers see. Answers carry it as OpenAI's envelope `{"error": {message, type, param, code}}`,
 * always with all four keys, so that every SDK raises its typed error.
 */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    readonly status: number,
    message: string,
    readonly details: {
      type?: string;
      param?: string | null;
      code?: string | null;
      /** Sent as `Retry-After`, whole seconds. */
      retryAfterSeconds?: number;
      headers?: Record<string, string>;
      cause?: unknown;
    } = {},
  ) {
    super(message, { cause: details.cause });
  }

  get envelope() {
    return {
      error: {
        // A shortened text may end in half a character.
        message: this.message.toWellFormed(),
        type: this.details.type ?? (this.status >= 500 ? "server_error" : "invalid_request_error"),
        param: this.details.param?.toWellFormed() ?? null,
        code: this.details.code ?? null,
      },
    };
  }
}

/** An error about one of several texts. Whoever sent them catches it and names the text as its own sender knows it. */
export class TextError extends ApiError {
  /** @param index of the text, from 0 @param problem the sentence about it, without its name */
  constructor(
    readonly index: number,
    status: number,
    readonly problem: string,
    details: ApiError["details"],
  ) {
    super(status, problem, details);
  }

  /** The same error, with the name of the text. */
  named(param: string): ApiError {
    return new ApiError(this.status, `${param}: ${this.problem}`, { ...this.details, param });
  }
}

/** 400: the request is wrong. `param` is the path of the field, such as `embeddings[17].embedding`. */
export const invalid = (param: string | null, problem: string, code = "invalid_value") =>
  new ApiError(400, param === null ? problem : `${param}: ${problem}`, { param, code });

/** The client closed its connection; nobody sees this answer. */
export const clientLeft = (): ApiError => new ApiError(499, "The client closed the request.");

/** 401: the key is missing or unknown. */
export const unauthorized = (message: string) =>
  new ApiError(401, message, {
    type: "authentication_error",
    code: "invalid_api_key",
    headers: { "www-authenticate": "Bearer" },
  });

/** 403: the key is known but may not do this. */
export const forbidden = (message: string) =>
  new ApiError(403, message, { type: "permission_error", code: "insufficient_permissions" });

/** 404. Absent and forbidden things look alike, so callers learn nothing about what is not theirs. */
export const notFound = (what: string, id: string, param = "id") =>
  new ApiError(404, `No ${what} found with id '${id}'.`, { param, code: "not_found" });

/** 409: contradicts what is stored or was already given. */
export const conflict = (param: string, problem: string) =>
  new ApiError(409, `${param}: ${problem}`, { param, code: "conflict" });

/** 413. @param param the field that is too large; null: the body */
export const tooLarge = (message: string, param: string | null = null) =>
  new ApiError(413, message, { param, code: "request_too_large" });

/** 415: a wrong Content-Type or Content-Encoding. */
export const unsupportedMediaType = (message: string) =>
  new ApiError(415, message, { param: "content-type", code: "unsupported_media_type" });

/** 503: something the service depends on is away. A later try may help. */
export const unavailable = (
  message: string,
  options: { code?: string; retryAfterSeconds?: number; cause?: unknown } = {},
) =>
  new ApiError(503, message, {
    code: options.code ?? "service_unavailable",
    retryAfterSeconds: options.retryAfterSeconds ?? 2,
    cause: options.cause,
  });

/** The service cannot start. The message is a sentence for the operator, printed without a stack. */
export class StartupError extends Error {
  override readonly name = "StartupError";
}

/** The code that Node or a library gave an error, such as `ENOENT` or an SQLSTATE; null if it has none. */
export function errorCode(error: unknown): string | null {
  return typeof error === "object" && error !== null && "code" in error && typeof error.code === "string"
    ? error.code
    : null;
}

const diskProblems: Partial<Record<string, string>> = {
  ENOSPC: "has no disk space left",
  EDQUOT: "has used up its disk quota",
  EROFS: "accepts no writes at the moment (it is read-only)",
  EIO: "has a disk that fails (EIO)",
  EMFILE: "cannot be opened: this process has too many open files (EMFILE)",
  ENFILE: "cannot be opened: this machine has too many open files (ENFILE)",
};

const directoryProblems: typeof diskProblems = {
  ...diskProblems,
  EACCES: "is not accessible to this process (EACCES)",
  EPERM: "is not accessible to this process (EPERM)",
  ENOENT: "does not exist (ENOENT)",
  ENOTDIR: "is not a directory (ENOTDIR)",
};

/**
 * An error of writing to a disk as the ApiError that its caller should see, 503 as for a full database; any other error
 * comes back unchanged.
 * @param place what could not be written, to begin a sentence with
 */
export function diskError(error: unknown, place: string): unknown {
  const problem = diskProblems[errorCode(error) ?? ""];
  return problem === undefined ? error : away(place, problem, error);
}

/**
 * The same for an error that certainly is the file system's: every one with a code means that the directory cannot be
 * used. What has no code is a bug, and comes back unchanged.
 */
export function directoryError(error: unknown, place: string): unknown {
  const code = errorCode(error);
  return code === null ? error : away(place, directoryProblems[code] ?? `cannot be used (${code})`, error);
}

const away = (place: string, problem: string, cause: unknown) =>
  unavailable(`${place} ${problem}.`, { retryAfterSeconds: 60, cause });
