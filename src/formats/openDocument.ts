import type { Block, Place } from "../words/document.js";
import { blockWriter } from "./blockWriter.js";
import type { ReadFormat } from "./format.js";
import { type Hold, uncounted } from "./held.js";
import { lengthened } from "./paragraphs.js";
import { attribute, type Attributes, parseXml, walkXml, type XmlHandlers } from "./xmlEvents.js";
import { encrypted, openZip, type Zip } from "./zip.js";

/** Deleted text that the file keeps, phonetic guides, and the numbers of notes. */
const leftOut = new Set(["tracked-changes", "ruby-text", "note-citation"]);

/**
 * Elements inside a paragraph that hold other paragraphs. Text directly in them (an author, a description) is dropped.
 */
const boxes = new Set([
  ...["annotation", "note", "frame", "g", "custom-shape", "rect", "line", "polyline", "polygon", "path", "circle"],
  ...["ellipse", "connector", "caption", "measure", "control"],
]);

/** Elements whose first paragraph begins with a label. */
const labelled = new Set(["list-item", "note", "annotation", "notes"]);

/** Frames that repeat on every slide. */
const repeated = new Set(["page-number", "date-time", "footer", "header"]);

/** More blanks in one element are an attack. */
const mostBlanks = 1_000;

interface Paragraph {
  text: string;
  /** Heading level; undefined means "not a heading". */
  level: number | undefined;
  /** "- " for a list item, "Footnote: " and the like for a note, else "". */
  label: string;
}

/**
 * Reads OpenDocument texts and presentations; headers and footers of a text come first.
 * @throws DocumentError when the document is damaged, encrypted or too large inside
 */
export const readOpenDocument: ReadFormat = async function* (source) {
  const zip = await openZip(source.path);
  try {
    await checkReadable(zip);
    const edges: Block[] = [];
    if (zip.names.has("styles.xml")) await parseXml(zip.stream("styles.xml"), edgeHandlers(edges, zip.holder));
    yield* edges;
    const found: Block[] = [];
    yield* walkXml(zip.stream("content.xml"), contentHandlers(found, zip.holder), found);
  } finally {
    zip.close();
  }
};

/**
 * OpenDocument marks encrypted parts in its manifest, not in the zip.
 * @throws DocumentError when a part is encrypted
 */
export async function checkReadable(zip: Zip): Promise<void> {
  if (zip.names.has("encrypted-package")) throw encrypted();
  if (!zip.names.has("META-INF/manifest.xml")) return;
  await parseXml(zip.stream("META-INF/manifest.xml"), {
    open: (name) => {
      if (name === "encryption-data") throw encrypted();
    },
  });
}

/**
 * Finds the distinct headers and footers of a text. The master pages of a presentation have none, only frames to fill
 * in.
 */
function edgeHandlers(edges: Block[], holder: () => Hold): XmlHandlers {
  const found: Block[] = [];
  const hold = holder();
  const told = new Set<string>();
  const handlers = contentHandlers(found, holder, hold);
  let depth = 0;
  return {
    open: (name, attributes) => {
      if (depth > 0 || isEdge(name)) depth += 1;
      if (depth > 1) handlers.open(name, attributes);
    },
    text: (text) => {
      if (depth > 1) handlers.text(text);
    },
    close: (name) => {
      if (depth > 1) handlers.close(name);
      if (depth > 0) depth -= 1;
      for (const { text } of found.splice(0)) {
        if (!told.has(text)) edges.push({ kind: "text", text, place: {} });
        told.add(text);
      }
    },
  };
}

/** Whether an element is a header or footer, of all pages or of left or first ones. */
function isEdge(name: string): boolean {
  return /^(header|footer)(-left|-first)?$/.test(name);
}

/** The level of a heading; undefined for a paragraph. */
function levelOf(name: string, attributes: Attributes): number | undefined {
  return name === "h" ? Math.max(1, Number(attribute(attributes, "outline-level")) || 1) : undefined;
}

function labelOf(name: string, attributes: Attributes): string {
  if (name === "list-item") return "- ";
  if (name === "annotation") return "Comment: ";
  if (name === "notes") return "Notes: ";
  return attribute(attributes, "note-class") === "endnote" ? "Endnote: " : "Footnote: ";
}

/** @param hold counts the blocks found, unless they are passed on at once */
function contentHandlers(found: Block[], holder: () => Hold, hold = uncounted): Required<XmlHandlers> {
  let place: Place = {};
  /** The open paragraphs, innermost last; null for a box. */
  const open: (Paragraph | null)[] = [];
  /** Of boxes in the open paragraphs; `holdOpen` counts the text of both. */
  const held: Block[] = [];
  let holdOpen = holder();
  const writer = blockWriter((block) => {
    hold(block.text);
    (open.length === 0 ? found : held).push({ ...block, place });
  }, place);
  let [skipped, slide] = [0, 0];
  /** Class of the open frame on a slide, such as "title"; label of the next paragraph. */
  let [role, label] = ["", ""];
  let wasItem = false;

  function closeParagraph() {
    const paragraph = open.pop();
    if (paragraph == null) return;
    const text = paragraph.text.trim();
    const level = role === "title" && slide > 0 ? 1 : paragraph.level;
    const isItem = paragraph.label === "- ";
    if (text === "") label ||= paragraph.label;
    else if (level !== undefined) writer.paragraph({ text, level });
    else if (!repeated.has(role)) writer.paragraph({ text: `${paragraph.label}${text}`, tight: isItem && wasItem });
    if (text !== "") wasItem = isItem;
    release();
  }

  function release() {
    if (open.length > 0) return;
    for (const block of held.splice(0)) found.push(block);
    holdOpen = holder();
  }

  function add(text: string) {
    const paragraph = open.at(-1);
    if (paragraph != null) paragraph.text = lengthened(paragraph.text, holdOpen(text));
  }

  function openElement(name: string, attributes: Attributes) {
    if (boxes.has(name)) open.push(null);
    if (name === "p" || name === "h") {
      open.push({ text: "", level: levelOf(name, attributes), label });
      label = "";
    } else if (name === "s") add(" ".repeat(Math.min(Math.abs(Number(attribute(attributes, "c") ?? 1)), mostBlanks)));
    else if (name === "tab" || name === "line-break") add(name === "tab" ? "\t" : "\n");
    else if (labelled.has(name)) label = labelOf(name, attributes);
    else if (name === "frame") role = attribute(attributes, "class") ?? "";
    else if (name === "page") place = { slide: (slide += 1) };
    else if (name === "table") writer.openTable();
    else if (name === "table-cell" || name === "covered-table-cell") writer.openCell();
  }

  return {
    open: (name, attributes) => {
      if (skipped > 0 || leftOut.has(name)) skipped += 1;
      else openElement(name, attributes);
    },
    close: (name) => {
      if (skipped > 0) {
        skipped -= 1;
        return;
      }
      if (name === "p" || name === "h") closeParagraph();
      else if (name === "table-row") writer.closeRow();
      else if (name === "table") writer.closeTable();
      else if (name === "frame") role = "";
      else if (labelled.has(name)) label = "";
      if (boxes.has(name)) {
        open.pop();
        release();
      }
    },
    text: (text) => {
      // In OpenDocument a run of blanks and line breaks means one space.
      if (skipped === 0) add(text.replace(/[ \t\r\n]+/g, " "));
    },
  };
}
