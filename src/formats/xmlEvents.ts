import { TextDecoder } from "node:util";
import { DocumentError } from "../words/document.js";

/** Values by name as written, with prefix; read them with `attribute`. */
export type Attributes = Readonly<Record<string, string>>;

/**
 * Receives the events of an XML part. Element names have no prefix, because Strict OOXML uses other namespaces than
 * Transitional.
 */
export interface XmlHandlers {
  open?: (name: string, attributes: Attributes) => void;
  close?: (name: string) => void;
  text?: (text: string) => void;
}

/** Nesting of elements; real documents stay below 100. */
const deepest = 1_000;

/**
 * In bytes between two tags, which the parser holds in memory. The longest in real documents are images of old
 * programs.
 */
const longestText = 8 * 2 ** 20;

/**
 * Errors of unmatched tags, which would lose text silently. Other errors lose a character: some programs write control
 * characters.
 */
const fatal = /^un(expected|matched|closed)/;
/** Errors tolerated in a part, because each costs time. */
const mostErrors = 1_000;

/** An attribute's value by name without prefix. If an element has both `r:id` and `id`, `r:id` wins. */
export function attribute(attributes: Attributes, name: string): string | undefined {
  const suffix = `:${name}`;
  for (const key in attributes) if (key.endsWith(suffix)) return attributes[key];
  return attributes[name];
}

/** Parses an XML part and calls the handlers. @throws DocumentError when it is not XML, or exceeds a limit */
export async function parseXml(part: AsyncIterable<Uint8Array>, handlers: XmlHandlers): Promise<void> {
  const parser = await xmlParser(handlers);
  for await (const bytes of part) parser.write(bytes);
  parser.end();
}

/** As `parseXml`, and yields what the handlers put into `found` as parsing goes on, so that memory stays small. */
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
  // Without declarations, references to entities stay as written: nothing is expanded or fetched.
  parser.on("doctype", (doctype) => {
    if (doctype.includes("<!ENTITY")) throw invalid("declares entities, which attacks use and documents do not need");
  });
  parser.on("error", (cause) => {
    errors += 1;
    if (errors > mostErrors || fatal.test(cause.message)) throw invalid("is not XML", cause);
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
      if (!hasRoot) throw invalid("is not XML");
    },
  };
}

/** Recognises UTF-16 by its bytes. Any other encoding has an XML declaration in ASCII, or is UTF-8. */
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
