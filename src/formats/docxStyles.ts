import type { Hold } from "./held.js";
import { attribute, parseXml } from "./xmlEvents.js";
import type { Zip } from "./zip.js";

/** Properties of a paragraph or of a style. */
export interface ParagraphStyle {
  /** Heading level; 0 means "not a heading". */
  level?: number | undefined;
  /** The list that it is an item of; "0" means "not a list item". */
  list?: string | undefined;
  /** Depth in the list, from 0. */
  listLevel?: number | undefined;
}

interface NamedStyle extends ParagraphStyle {
  basedOn?: string | undefined;
}

interface ListLevel {
  format: string;
  /** Template with %1 for the number at the outermost level, %2 for the next, and so on. */
  marker: string;
  start: number;
}

interface List {
  /** Lists with the same definition share one count. */
  definition: string;
  /** The numbers at which this list restarts its levels. */
  starts: Map<number, number>;
}

/** A longer chain of styles is a circle. */
const longestChain = 20;

/** In characters. A real marker is a word or two; this one would be repeated at every item. */
const longestMarker = 50;

/** Reads the styles of a Word document. @returns the properties of a style by its id, with those it inherits */
export async function readStyles(
  zip: Zip,
  part: string | undefined,
): Promise<(id: string | undefined) => ParagraphStyle> {
  const styles = new Map<string, NamedStyle>();
  let style: NamedStyle = {};
  const hold = zip.holder();
  if (part !== undefined) {
    await parseXml(zip.stream(part), {
      open: (name, attributes) => {
        const value = attribute(attributes, "val") ?? "";
        if (name === "style") styles.set(hold(attribute(attributes, "styleId") ?? ""), (style = {}));
        else if (name === "basedOn") style.basedOn = hold(value);
        else if (name === "name") style.level ??= levelOfName(value);
        else setProperty(style, name, name === "numId" ? hold(value) : value);
      },
    });
  }
  return (id) => {
    const found: ParagraphStyle = {};
    let next = id;
    for (let steps = 0; next !== undefined && steps < longestChain; steps += 1) {
      const named: NamedStyle | undefined = styles.get(next) ?? { level: levelOfName(next) };
      found.level ??= named.level;
      found.list ??= named.list;
      found.listLevel ??= named.listLevel;
      next = named.basedOn;
    }
    return found;
  };
}

/** Sets the property that an element inside w:pPr stands for; ignores other elements. */
export function setProperty(style: ParagraphStyle, name: string, value: string): void {
  if (name === "outlineLvl") style.level = (Number(value) + 1) % 10;
  else if (name === "numId") style.list = value;
  else if (name === "ilvl") style.listLevel = Number(value);
}

/** Files name Word's built-in styles in English, whatever language Word shows. */
function levelOfName(name: string): number | undefined {
  if (/^title$/i.test(name)) return 1;
  const level = /^heading ?([1-9])$/i.exec(name)?.[1];
  return level === undefined ? undefined : Number(level);
}

/**
 * Reads the lists of a Word document.
 * @returns a function that counts: the marker before the next item of a list, at a level from 0
 */
export async function readLists(
  zip: Zip,
  part: string | undefined,
): Promise<(list: string, listLevel: number) => string> {
  const definitions = new Map<string, ListLevel[]>();
  const lists = new Map<string, List>();
  if (part !== undefined) await parseXml(zip.stream(part), listHandlers(definitions, lists, zip.holder()));
  const counts = new Map<string, number[]>();
  const begun = new Set<string>();

  return (id, listLevel) => {
    const list = lists.get(id);
    const levels = definitions.get(list?.definition ?? "") ?? [];
    const level = levels[listLevel];
    if (list === undefined || level === undefined) return "- ";
    const count = counts.get(list.definition) ?? [];
    counts.set(list.definition, count);
    if (!begun.has(id)) for (const [at, start] of list.starts) count[at] = start - 1;
    begun.add(id);
    for (let at = 0; at < listLevel; at += 1) count[at] ??= levels[at]?.start ?? 1;
    count[listLevel] = (count[listLevel] ?? level.start - 1) + 1;
    count.length = listLevel + 1;
    if (level.format === "bullet" || level.marker.length > longestMarker) return "- ";
    const marker = level.marker.replace(/%([1-9])/g, (_, digit: string) => {
      const at = Number(digit) - 1;
      return numeral(count[at] ?? 1, levels[at]?.format ?? "decimal");
    });
    return marker.trim() === "" ? "" : `${marker} `;
  };
}

function listHandlers(definitions: Map<string, ListLevel[]>, lists: Map<string, List>, hold: Hold) {
  let levels: ListLevel[] = [];
  let level: ListLevel | undefined;
  let list: List | undefined;
  let at = 0;
  return {
    open: (name: string, attributes: Readonly<Record<string, string>>) => {
      const of = (key: string) => attribute(attributes, key) ?? "";
      if (name === "abstractNum") definitions.set(hold(of("abstractNumId")), (levels = []));
      else if (name === "num") lists.set(hold(of("numId")), (list = { definition: "", starts: new Map() }));
      else if (name === "abstractNumId" && list !== undefined) list.definition = hold(of("val"));
      else if (name === "lvlOverride") at = Number(of("ilvl"));
      else if (name === "startOverride" && isLevel(at)) list?.starts.set(at, Number(of("val")));
      else if (name === "lvl") {
        level = { format: "decimal", marker: "", start: 1 };
        // Inside w:num it overrides the definition; that changes the marker almost never, so it is ignored.
        if (list === undefined && isLevel(Number(of("ilvl")))) levels[Number(of("ilvl"))] = level;
      } else if (name === "numFmt" && level !== undefined) level.format = hold(of("val"));
      else if (name === "lvlText" && level !== undefined) level.marker = hold(of("val"));
      else if (name === "start" && level !== undefined) level.start = Number(of("val"));
    },
    close: (name: string) => {
      if (name === "lvl") level = undefined;
      if (name === "num") list = undefined;
    },
  };
}

/** Word has nine levels, from 0. */
function isLevel(level: number): boolean {
  return Number.isInteger(level) && level >= 0 && level < 9;
}

function numeral(value: number, format: string): string {
  const isUpper = format.startsWith("upper");
  let text = String(value);
  if (format.endsWith("Letter")) text = letters(value);
  if (format.endsWith("Roman")) text = roman(value);
  return isUpper ? text.toUpperCase() : text;
}

/** Counts as Word does: a to z, aa to zz, aaa to zzz. */
function letters(value: number): string {
  if (!(value >= 1 && value <= 260)) return String(value);
  return String.fromCharCode(0x61 + ((value - 1) % 26)).repeat(Math.ceil(value / 26));
}

function roman(value: number): string {
  if (!(value >= 1 && value < 4_000)) return String(value);
  const digits = ["", "a", "aa", "aaa", "ab", "b", "ba", "baa", "baaa", "ac"];
  const symbols = ["ivx", "xlc", "cdm", "m"];
  return Array.from(String(value))
    .map((digit, index, all) => {
      const symbol = symbols[all.length - 1 - index] ?? "";
      return (digits[Number(digit)] ?? "").replace(/[abc]/g, (place) => symbol["abc".indexOf(place)] ?? "");
    })
    .join("");
}
