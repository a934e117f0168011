import { posix } from "node:path";
import { DocumentError } from "../words/document.js";
import { decodeText } from "./encoding.js";
import type { ReadFormat } from "./format.js";
import { blocksOfHtml } from "./html.js";
import { attribute, parseXml } from "./xmlEvents.js";
import { openZip, type Zip } from "./zip.js";

/** In XHTML any element may be closed so, but HTML takes `<title/>` for the beginning of one. */
const selfClosing = /<([a-z][\w:-]*)((?:\s[^<>]*)?)\/>/gi;
const alwaysEmpty = /^(area|base|br|col|embed|hr|img|input|link|meta|source|track|wbr)$/i;

/** Reads electronic books, chapter by chapter. */
export const readEpub: ReadFormat = async function* (source) {
  const zip = await openZip(source.path);
  try {
    const chapters = await chapterParts(zip, await packagePart(zip));
    const locked = await lockedParts(zip);
    if (chapters.some((part) => locked.has(part))) {
      throw new DocumentError("invalid_file", "The book is protected against copying. Send one without protection.");
    }
    for (const part of chapters) {
      const text = decodeText(await zip.read(part), { markup: true });
      yield* blocksOfHtml(
        text.replace(selfClosing, (tag, name: string, attributes: string) =>
          alwaysEmpty.test(name) ? tag : `<${name}${attributes}></${name}>`,
        ),
      );
    }
  } finally {
    zip.close();
  }
};

/** The part that lists the others. */
async function packagePart(zip: Zip): Promise<string> {
  let part = "";
  await parseXml(zip.stream("META-INF/container.xml"), {
    open: (name, attributes) => {
      if (name === "rootfile") part ||= attribute(attributes, "full-path") ?? "";
    },
  });
  return part;
}

/** In the order of reading. */
async function chapterParts(zip: Zip, packageName: string): Promise<string[]> {
  const items = new Map<string, string>();
  const parts = new Set<string>();
  await parseXml(zip.stream(packageName), {
    open: (name, attributes) => {
      const of = (key: string) => attribute(attributes, key) ?? "";
      if (name === "item" && of("media-type").includes("html")) items.set(of("id"), of("href"));
      const href = name === "itemref" ? items.get(of("idref")) : undefined;
      if (href !== undefined) parts.add(resolved(packageName, href));
    },
  });
  const found = [...parts].filter((part) => zip.names.has(part));
  if (found.length === 0) throw new DocumentError("invalid_file", "The book is damaged: it has no chapters.");
  return found;
}

/** Parts that only some program can decrypt; fonts are among them in books that anybody may read. */
async function lockedParts(zip: Zip): Promise<Set<string>> {
  const parts = new Set<string>();
  if (!zip.names.has("META-INF/encryption.xml")) return parts;
  await parseXml(zip.stream("META-INF/encryption.xml"), {
    open: (name, attributes) => {
      if (name === "CipherReference") parts.add(resolved("", attribute(attributes, "URI") ?? ""));
    },
  });
  return parts;
}

/** The name of the part that a reference means. */
function resolved(from: string, href: string): string {
  const [path = ""] = href.split("#");
  return posix.resolve("/", posix.dirname(from), decoded(path)).slice(1);
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
