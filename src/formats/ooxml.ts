import { posix } from "node:path";
import { DocumentError } from "../words/document.js";
import { attribute, parseXml } from "./xmlEvents.js";
import type { Zip } from "./zip.js";

/** What a part of an Office document refers to. */
export interface Relationship {
  id: string;
  /** The last word of its type's address, which Strict and usual OOXML have in common. */
  type: string;
  /** The name of the other part. */
  target: string;
}

/** The relationships of a part with others of the document; those of the document itself for "". */
export async function relationships(zip: Zip, part: string): Promise<Relationship[]> {
  const { dir, base } = posix.parse(part);
  const name = posix.join(dir, "_rels", `${base}.rels`);
  if (!zip.names.has(name)) return [];
  const found: Relationship[] = [];
  await parseXml(zip.stream(name), {
    open: (element, attributes) => {
      if (element !== "Relationship" || attribute(attributes, "TargetMode") === "External") return;
      const [id, type, target] = ["Id", "Type", "Target"].map((key) => attribute(attributes, key) ?? "");
      if (id === undefined || type === undefined || target === undefined) return;
      found.push({ id, type: posix.basename(type), target: posix.resolve("/", dir, target).slice(1) });
    },
  });
  return found.filter(({ target }) => zip.names.has(target));
}

/** The part that holds the document: most have it where Word, Excel and PowerPoint put it. */
export async function mainPart(zip: Zip, usual: string): Promise<string> {
  if (zip.names.has(usual)) return usual;
  const main = (await relationships(zip, "")).find(({ type }) => type === "officeDocument");
  if (main === undefined) throw new DocumentError("invalid_file", `The document is damaged: it lacks ${usual}.`);
  return main.target;
}

/** The parts of a type that relationships lead to, each once. */
export function targetsOf(links: readonly Relationship[], type: string): string[] {
  return [...new Set(links.filter((link) => link.type === type).map(({ target }) => target))];
}
