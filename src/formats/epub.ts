import { posix } from "node:path";
import { DocumentError } from "../words/document.js";
import { decodeText } from "./encoding.js";
import type { ReadFormat } from "./format.js";
import { blocksOfHtml } from "./html.js";
import { attribute, parseXml } from "./xmlEvents.js";
import { openZip, type Zip } from "./zip.js";

/** XHTML may close any element like this, but HTML reads `<title/>` as an opening tag. */
const selfClosing = /<([a-z][\w:-]*)((?:\s[^<>]*)?)\/>/gi;
const alwaysEmpty = /^(area|base|br|col|embed|hr|img|input|link|meta|source|track|wbr)$/i;

/**
 * Reads an electronic book, chapter by chapter.
 * @throws DocumentError when the book is damaged or copy-protected
 */
export const readEpub: ReadFormat = async function* (source) {
  const zip = await openZip(source.path);
  try {
    const chapters = await chapterParts(zip, await packagePart(zip));
    const locked = await lockedParts(zip);
    if (chapters.some((part) => locked.has(part))) {
      throw new DocumentError("invalid_file", "The book is copy-protected. Send one without protection.");
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

/** The name of the part that lists the other parts. */
async function packagePart(zip: Zip): Promise<string> {
  let part = "";
  await parseXml(zip.stream("META-INF/container.xml"), {
    open: (name, attributes) => {
      if (name === "rootfile") part ||= attribute(attributes, "full-path") ?? "";
    },
  });
  return part;
}

/** The names of the chapters' parts, in reading order. */
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

/** The names of encrypted parts. In books that anybody may read, these are only fonts. */
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

/** The name of the part that a reference points to. */
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
