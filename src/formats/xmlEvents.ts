import { TextDecoder } from "node:util";
import { DocumentError } from "../words/document.js";

/** By their names as written, with prefixes; see `attribute`. */
export type Attributes = Readonly<Record<string, string>>;

/** What happens in an XML part. Names come without prefixes: Strict OOXML has other namespaces than the usual one. */
export interface XmlHandlers {
  open?: (name: string, attributes: Attributes) => void;
  close?: (name: string) => void;
  text?: (text: string) => void;
}

/** Real documents stay below 100. */
const deepest = 1_000;

/** Between two tags; the parser holds it in many small pieces. The largest in real documents are pictures of old programs. */
const longestText = 8 * 2 ** 20;

/** Where tags do not match, text would be lost silently. Other errors lose a character: some programs write control ones. */
const fatal = /^un(expected|matched|closed)/;
/** Each one costs time. */
const mostErrors = 1_000;

/** An attribute's value by its name without a prefix; `r:id` wins over `id` where an element has both. */
export function attribute(attributes: Attributes, name: string): string | undefined {
  const suffix = `:${name}`;
  for (const key in attributes) if (key.endsWith(suffix)) return attributes[key];
  return attributes[name];
}

/** Tells the handlers all that is in an XML part. @throws DocumentError when it is no XML, or dangerous */
export async function parseXml(part: AsyncIterable<Uint8Array>, handlers: XmlHandlers): Promise<void> {
  const parser = await xmlParser(handlers);
  for await (const bytes of part) parser.write(bytes);
  parser.end();
}

/** As `parseXml`, and yields on the way what the handlers have put into `found`, taking it out. */
export async function* walkXml<T>(
  part: AsyncIterable<Uint8Array>,
  handlers: XmlHandlers,
  found: T[],
): AsyncGenerator<T> {
  const parser = await xmlParser(handlers);
  for await (const bytes of part) {
    parser.write(bytes);
    yield* found.splice(0);
  }
  parser.end();
  yield* found.splice(0);
}

async function xmlParser({ open, close, text }: XmlHandlers) {
  const { SaxesParser } = await import("saxes");
  const parser = new SaxesParser({ position: false, xmlns: false } as const);
  let decoder: TextDecoder | undefined;
  let depth = 0;
  let hasRoot = false;
  let errors = 0;
  let sinceTag = 0;

  parser.on("opentag", ({ name, attributes }) => {
    hasRoot = true;
    sinceTag = 0;
    depth += 1;
    if (depth > deepest) throw invalid("is nested too deeply");
    open?.(localName(name), attributes);
  });
  parser.on("closetag", ({ name }) => {
    depth -= 1;
    sinceTag = 0;
    close?.(localName(name));
  });
  if (text !== undefined) {
    parser.on("text", text);
    parser.on("cdata", text);
  }
  // Without them, references to entities stay as they are written: nothing expands, and nothing is fetched.
  parser.on("doctype", (doctype) => {
    if (doctype.includes("<!ENTITY")) throw invalid("declares entities, which documents do not need and attacks use");
  });
  parser.on("error", (cause) => {
    errors += 1;
    if (errors > mostErrors || fatal.test(cause.message)) throw invalid("is no XML", cause);
  });

  return {
    write: (bytes: Uint8Array) => {
      decoder ??= decoderFor(bytes);
      sinceTag += bytes.length;
      if (sinceTag > longestText) throw invalid("has too long a text in one piece");
      parser.write(decoder.decode(bytes, { stream: true }));
    },
    end: () => {
      parser.close();
      if (!hasRoot) throw invalid("is no XML");
    },
  };
}

/** UTF-16 is told by its bytes; all else has an XML declaration that ASCII can read, or is UTF-8. */
function decoderFor(start: Uint8Array): TextDecoder {
  if (start[0] === 0xff || start[1] === 0) return new TextDecoder("utf-16le");
  if (start[0] === 0xfe || start[0] === 0) return new TextDecoder("utf-16be");
  const declaration = Buffer.from(start.subarray(0, 200)).toString("latin1");
  const label = /^<\?xml[^>]*\bencoding\s*=\s*["']([\w-]+)["']/.exec(declaration)?.[1] ?? "utf-8";
  try {
    return new TextDecoder(/^utf-?16|^ucs/i.test(label) ? "utf-8" : label);
  } catch {
    return new TextDecoder();
  }
}

function localName(name: string): string {
  return name.slice(name.indexOf(":") + 1);
}

function invalid(what: string, cause?: unknown): DocumentError {
  return new DocumentError("invalid_file", `The document is damaged: a part of it ${what}.`, { cause });
}
