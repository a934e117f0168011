import { posix } from "node:path";
import { DocumentError } from "../words/document.js";
import { attribute, parseXml } from "./xmlEvents.js";
import type { Zip } from "./zip.js";

/** A reference from one part of an Office document to another. */
export interface Relationship {
  id: string;
  /** The last segment of its type's URI, which Strict and Transitional OOXML share. */
  type: string;
  /** The name of the part that it points to. */
  target: string;
}

/** The relationships of a part to existing parts; those of the whole document for "". */
export async function relationships(zip: Zip, part: string): Promise<Relationship[]> {
  const { dir, base } = posix.parse(part);
  const name = posix.join(dir, "_rels", `${base}.rels`);
  if (!zip.names.has(name)) return [];
  const found: Relationship[] = [];
  const hold = zip.holder();
  await parseXml(zip.stream(name), {
    open: (element, attributes) => {
      if (element !== "Relationship" || attribute(attributes, "TargetMode") === "External") return;
      const [id, type, target] = ["Id", "Type", "Target"].map((key) => hold(attribute(attributes, key) ?? ""));
      if (id === undefined || type === undefined || target === undefined) return;
      found.push({ id, type: posix.basename(type), target: posix.resolve("/", dir, target).slice(1) });
    },
  });
  return found.filter(({ target }) => zip.names.has(target));
}

/**
 * Finds the document's main part.
 * @param usual the name that Office gives it
 * @throws DocumentError when there is none
 */
export async function mainPart(zip: Zip, usual: string): Promise<string> {
  if (zip.names.has(usual)) return usual;
  const main = (await relationships(zip, "")).find(({ type }) => type === "officeDocument");
  if (main === undefined) throw new DocumentError("invalid_file", `The document is damaged: it lacks ${usual}.`);
  return main.target;
}

/** The distinct parts that relationships of a type point to. */
export function targetsOf(links: readonly Relationship[], type: string): string[] {
  return [...new Set(links.filter((link) => link.type === type).map(({ target }) => target))];
}
