import { Busboy, type BusboyFileStream, type BusboyHeaders } from "@fastify/busboy";
import type { Request } from "express";
import { once } from "node:events";
import type { Deps } from "../../core/deps.js";
import { type KeptBytes, drop, keep } from "../../core/files/files.js";
import { ApiError, invalid, tooLarge, unsupportedMediaType } from "../../words/errors.js";
import { rawChunks } from "./jsonBody.js";
import { unstorable } from "./unstorableText.js";

export interface FormFile {
  /** The name of its form field. */
  field: string;
  filename: string;
  bytes: AsyncIterable<Buffer>;
}

export interface Form<T> {
  /** Of a field that is given more than once, the last value. */
  fields: ReadonlyMap<string, string>;
  /** What was kept of the files, in their order. */
  files: T[];
}

const limits = { fields: 100, fieldBytes: 1024 * 1024, nameBytes: 200 };

/** What becomes of the files of a form: `keep` must read the bytes to their end; `drop` undoes it, when the form turns out bad. */
export interface Keeper<T> {
  keep(file: FormFile): Promise<T>;
  drop(kept: T): Promise<void>;
}

export const keeperOf = (deps: Deps): Keeper<KeptBytes> => ({
  keep: ({ filename, bytes }) => keep(deps, filename, bytes),
  drop: (kept) => drop(deps, kept),
});

/**
 * Reads a form while it comes: each file is handed on as a stream, whose reader sets the pace of the sender. When anything fails, nothing
 * is kept.
 * @throws ApiError 400, 413, 415, and what `keep` throws
 */
export async function readForm<T>(
  req: Request,
  allowed: { fileBytes: number; files: number },
  keeper: Keeper<T>,
): Promise<Form<T>> {
  const busboy = open(req, allowed);
  const fields = new Map<string, string>();
  const streams = new Set<BusboyFileStream>();
  const files: Promise<T>[] = [];
  let failure: Error | null = null;
  let tellFailed = (): void => undefined;
  const failed = new Promise<void>((resolve) => {
    tellFailed = resolve;
  });
  const fail = (error: unknown): Error => {
    failure ??= error instanceof Error ? error : new Error(String(error));
    tellFailed();
    for (const stream of streams) stream.destroy(failure);
    // Whoever waits for it to take more is not to wait any longer.
    busboy.emit("drain");
    return failure;
  };
  const refuseAt = (event: "filesLimit" | "fieldsLimit", message: string) => {
    busboy.once(event, () => {
      fail(invalid(null, message));
    });
  };
  refuseAt("filesLimit", `The form has more than ${allowed.files} files; send them in several requests.`);
  refuseAt("fieldsLimit", `The form has more than ${limits.fields} fields.`);
  busboy.on("error", () => {
    fail(invalid(null, "The form cannot be read: its parts are not as its Content-Type says.", "invalid_multipart"));
  });
  busboy.on("field", (name, value, nameCut, valueCut) => {
    const problem = nameCut || valueCut ? "longer than is allowed" : (unstorable(name) ?? unstorable(value));
    if (problem === null) fields.set(name, value);
    else fail(invalid(name.slice(0, 64), problem));
  });
  busboy.on("file", (field, stream, filename) => {
    streams.add(stream);
    stream.once("limit", () => {
      fail(tooLarge(`The file is larger than ${Math.floor(allowed.fileBytes / 1024 / 1024)} MB (MAX_FILE_MB).`, field));
    });
    // An error before anybody reads is told to the reader all the same.
    stream.on("error", () => undefined);
    const taken = keeper.keep({ field, filename: nameOf(filename), bytes: stream });
    taken.catch(fail).finally(() => streams.delete(stream));
    files.push(taken);
  });

  const finished = once(busboy, "finish");
  finished.catch(() => undefined);
  try {
    for await (const chunk of rawChunks(req)) {
      const more = busboy.write(chunk);
      throwIf(failure);
      if (!more) await once(busboy, "drain");
      throwIf(failure);
    }
    busboy.end();
    // Parts that broke off have told their readers; the form itself then never finishes.
    await Promise.race([finished, failed]);
    throwIf(failure);
    return { fields, files: await Promise.all(files) };
  } catch (error) {
    const reason = fail(error);
    for (const file of await Promise.allSettled(files)) {
      if (file.status === "fulfilled") await keeper.drop(file.value);
    }
    throw reason;
  }
}

function throwIf(failure: Error | null): void {
  if (failure !== null) throw failure;
}

function open(req: Request, allowed: { fileBytes: number; files: number }) {
  const { "content-type": type, "content-length": length } = req.headers;
  if (type === undefined || !/^multipart\/form-data\s*;/i.test(type)) {
    throw unsupportedMediaType("The body must be a form: multipart/form-data, as `curl -F file=@…` sends it.");
  }
  if (Number(length ?? 0) > allowed.fileBytes * allowed.files + 10 * 1024 * 1024) {
    throw tooLarge(
      `The body is larger than ${allowed.files} file(s) of ${Math.floor(allowed.fileBytes / 1024 / 1024)} MB may be.`,
    );
  }
  try {
    return new Busboy({
      headers: req.headers as BusboyHeaders,
      limits: {
        fileSize: allowed.fileBytes,
        files: allowed.files,
        fields: limits.fields,
        fieldSize: limits.fieldBytes,
        fieldNameSize: limits.nameBytes,
        headerPairs: 50,
        headerSize: 16 * 1024,
      },
      // A part with a name of a file is one; a text field that a client sends with a type is none.
      isPartAFile: (_, contentType, filename) => filename !== undefined || contentType === "application/octet-stream",
    });
  } catch (error) {
    throw new ApiError(400, "The form has no boundary: its Content-Type is not complete.", {
      code: "invalid_multipart",
      cause: error,
    });
  }
}

/** The last part of a path, as a sender's system writes it. */
function nameOf(filename: string | undefined): string {
  const name = (filename ?? "").split(/[/\\]/).at(-1)?.replaceAll("\0", "").toWellFormed().trim() ?? "";
  return name === "" || name === "." || name === ".." ? "file" : name.slice(-255);
}
