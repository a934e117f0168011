import type { Request } from "express";
import multer, { MulterError } from "multer";
import { PassThrough, type Writable, finished } from "node:stream";
import type { Deps } from "../../core/deps.js";
import * as storedFiles from "../../core/files/files.js";
import { ApiError, invalid, tooLarge, unsupportedMediaType } from "../../words/errors.js";
import { type PartCounter, countParts } from "./formParts.js";
import { unstorable } from "./unstorableText.js";

/** A file of a form, while it arrives. */
export interface FormFile {
  /** The name of its form field. */
  field: string;
  /** Without the sender's directories; "file" if the part has no filename. */
  filename: string;
  bytes: AsyncIterable<Buffer>;
}

/** A form that was read completely. */
export interface Form<T> {
  /** Values by name, brackets included. */
  fields: ReadonlyMap<string, string>;
  /** What `keep` returned for each file, in order. */
  files: T[];
}

/** Where a form's files go. */
export interface Keeper<T> {
  /** Must read the bytes to their end. If it fails, it leaves nothing behind; it throws what `bytes` throws. */
  keep(file: FormFile): Promise<T>;
  /** Undoes `keep` when the rest of the form turns out to be bad. */
  drop(kept: T): Promise<void>;
}

/** Keeps files in the storage. */
export const keeperOf = (deps: Deps): Keeper<storedFiles.KeptBytes> => ({
  keep: ({ filename, bytes }) => storedFiles.keep(deps, filename, bytes),
  drop: (kept) => storedFiles.drop(deps, kept),
});

interface Allowed {
  /** Bytes of each file. */
  fileBytes: number;
  files: number;
}

const most = { fields: 100, fieldBytes: 1024 * 1024, nameCharacters: 200, nesting: 10 };

/** Multer's middleware, as used here: it needs the headers and body of a request, but no response. */
type Middleware = (body: PassThrough, res: null, next: (error?: Error) => void) => void;

/**
 * Reads a form (multipart/form-data) while it arrives. Files go to `keeper` as streams; a slow reader slows the sender
 * down. A bad form is refused at once, even if its sender is still sending; then no file is kept.
 * @throws ApiError 400, 413, 415, and what `keep` throws
 */
export async function readForm<T>(req: Request, allowed: Allowed, keeper: Keeper<T>): Promise<Form<T>> {
  const counter = countParts(requireForm(req, allowed));
  const body = bodyOf(req, counter);
  const fields = new Map<string, string>();
  let read = 0;
  const files: Promise<T>[] = [];
  const broken: unknown[] = [];
  const options: multer.Options & { streamHandler: (body: PassThrough, parser: Writable) => void } = {
    limits: {
      fileSize: allowed.fileBytes,
      files: allowed.files,
      fields: most.fields,
      fieldSize: most.fieldBytes,
      // Must be set explicitly (CVE-2026-5079, CVE-2026-77078). OpenAI's SDKs nest once: expires_after[anchor].
      fieldNestingDepth: most.nesting,
      fieldArrayIndexLimit: most.fields,
    },
    defParamCharset: "utf8",
    storage: storageEngine(body, files, keeper, broken),
    streamHandler: (_, parser) => {
      prepare(body, parser, fields);
      for (const event of ["field", "file"]) parser.on(event, () => (read += 1));
      body.pipe(parser);
    },
  };
  try {
    const parse = multer(options).any() as unknown as Middleware;
    await new Promise<void>((resolve, reject) => {
      parse(body, null, (error) => {
        if (error !== undefined) reject(error === body.errored ? error : asApiError(error, allowed));
        else if (!body.readableEnded || read < counter.count()) reject(malformed());
        else resolve();
      });
    });
    return { fields, files: await Promise.all(files) };
  } catch (error) {
    // Multer does not always wait for files that are still being kept.
    for (const file of await Promise.allSettled(files)) {
      if (file.status === "fulfilled") await keeper.drop(file.value);
    }
    // A keeper that fails stops reading, and multer takes that for a broken form: never the sender's fault.
    throw broken.length > 0 ? broken[0] : error;
  } finally {
    body.destroy();
  }
}

/** Checks the headers, before the body is read. @returns the boundary. @throws ApiError 400, 413, 415 */
function requireForm(req: Request, allowed: Allowed): string {
  const { "content-type": type, "content-length": length } = req.headers;
  if (type === undefined || !/^multipart\/form-data\s*;/i.test(type)) {
    throw unsupportedMediaType("The body must be a form: multipart/form-data, as `curl -F file=@…` sends it.");
  }
  const [, quoted, plain] = /;\s*boundary=(?:"([^"]+)"|([^\s;"]+))/i.exec(type) ?? [];
  const boundary = quoted ?? plain;
  if (boundary === undefined) {
    throw invalid(null, "The form has no boundary: its Content-Type is not complete.", "invalid_multipart");
  }
  if (Number(length ?? 0) > allowed.fileBytes * allowed.files + 10 * 1024 * 1024) {
    throw tooLarge(
      `The body is larger than ${allowed.files} file(s) of ${Math.floor(allowed.fileBytes / 1024 / 1024)} MB may be.`,
    );
  }
  return boundary;
}

/**
 * The request as multer sees it: its headers and body. Multer reports an error only when the request has ended, and our
 * answer must not wait for that. This stream can be ended without ending the connection.
 */
function bodyOf(req: Request, counter: PartCounter): PassThrough {
  const body = Object.assign(new PassThrough(), { headers: req.headers });
  body.on("error", () => undefined);
  finished(req, { writable: false }, (error) => {
    if (error) body.destroy(new ApiError(400, "The request ended before its body was complete.", { cause: error }));
  });
  req.on("data", (chunk: Buffer) => {
    counter.see(chunk);
  });
  req.pipe(body);
  return body;
}

/**
 * Passes files to the keeper. A failure ends the body, and with it the form's other files.
 * @param broken gets the keeper's own failures, which did not come from the form
 */
function storageEngine<T>(
  body: PassThrough,
  files: Promise<T>[],
  keeper: Keeper<T>,
  broken: unknown[],
): multer.StorageEngine {
  return {
    _handleFile(_req, { fieldname: field, originalname, stream }, done) {
      // The parser would skip the rest of the file, however long it is.
      stream.once("limit", () => body.destroy());
      const kept = keeper.keep({ field, filename: nameOf(originalname), bytes: stream });
      files.push(kept);
      kept.then(
        () => {
          done(null);
        },
        (error: unknown) => {
          // A keeper that stops reading destroys the stream, which notes an error of its own.
          if (error !== stream.errored) {
            broken.push(error);
            body.destroy(error instanceof Error ? error : new Error(String(error)));
          }
          done(error);
        },
      );
    },
    // readForm drops all files once the last has settled.
    _removeFile(_req, _file, done) {
      done(null);
    },
  };
}

/** Listens to multer's parser (busboy) before multer does. */
function prepare(body: PassThrough, parser: Writable, fields: Map<string, string>): void {
  parser.prependListener("field", (name: string | undefined, value: string | undefined) => {
    if (name === undefined) return;
    const problem =
      name.length > most.nameCharacters
        ? "longer than is allowed"
        : value === undefined
          ? "is in an unknown character set"
          : fields.has(name)
            ? "given more than once in the form"
            : (unstorable(name) ?? unstorable(value));
    if (problem !== null) body.destroy(invalid(name.slice(0, 64), problem));
    else if (value !== undefined) fields.set(name, value);
  });
  // Multer skips a file without a filename.
  parser.prependListener("file", (_name, _stream, info: { filename?: string }) => {
    if (info.filename === undefined || info.filename === "") info.filename = "file";
  });
  // Multer is done with the body, or the parser has failed.
  parser.once("unpipe", () => body.destroy());
}

function asApiError(error: unknown, allowed: Allowed): ApiError {
  if (error instanceof ApiError) return error;
  if (!(error instanceof MulterError)) return malformed(error);
  const field = error.field?.slice(0, 64) ?? null;
  // The types do not know the newer codes.
  switch (error.code as string) {
    case "LIMIT_FILE_SIZE":
      return tooLarge(
        `The file is larger than ${Math.floor(allowed.fileBytes / 1024 / 1024)} MB (MAX_FILE_MB).`,
        field,
      );
    case "LIMIT_FILE_COUNT":
      return invalid(null, `The form has more than ${allowed.files} files; send them in several requests.`);
    case "LIMIT_FIELD_COUNT":
      return invalid(null, `The form has more than ${most.fields} fields.`);
    case "LIMIT_FIELD_VALUE":
      return invalid(field, "longer than is allowed");
    case "LIMIT_FIELD_NESTING":
    case "LIMIT_FIELD_ARRAY_INDEX":
      return invalid(field, "nested too deeply, or numbered too high");
    default:
      return malformed(error);
  }
}

const malformed = (cause?: unknown) =>
  new ApiError(400, "The form cannot be read: its parts are not as its Content-Type says.", {
    code: "invalid_multipart",
    cause,
  });

/** A filename that is safe to store and show. Multer has already removed the sender's directories. */
function nameOf(filename: string): string {
  const name = filename
    .replaceAll(/\p{Cc}/gu, "")
    .toWellFormed()
    .trim();
  return ["", ".", ".."].includes(name) ? "file" : name.slice(-255);
}
