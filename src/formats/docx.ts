import { createHash } from "node:crypto";
import { posix } from "node:path";
import type { Block, Place } from "../words/document.js";
import { blockWriter } from "./blockWriter.js";
import { type ParagraphStyle, readLists, readStyles, setProperty } from "./docxStyles.js";
import type { ReadFormat } from "./format.js";
import { type Hold, uncounted } from "./held.js";
import { mainPart, relationships, targetsOf } from "./ooxml.js";
import { joined, lengthened } from "./paragraphs.js";
import { attribute, type Attributes, parseXml, walkXml, type XmlHandlers } from "./xmlEvents.js";
import { openZip, type Zip } from "./zip.js";

interface Paragraph {
  text: string;
  style: string | undefined;
  /** The paragraph's properties, which override those of its style. */
  own: ParagraphStyle;
  /** Keys of the notes and comments that the paragraph refers to. */
  notes: string[];
}

interface Context {
  styleOf: (id: string | undefined) => ParagraphStyle;
  marker: (list: string, listLevel: number) => string;
  /** Texts of footnotes, endnotes and comments by key; each is written once. */
  notes: Map<string, string>;
  /** A new count of text that is held. */
  holder: () => Hold;
}

/** Empty: a .docx file has no pages until Word lays it out. */
const place: Place = {};

/** Deleted and moved text, former properties, phonetic guides, and what older programs show instead of a shape. */
const leftOut = new Set(["del", "moveFrom", "pPrChange", "rt", "Fallback"]);

const noteLabels = { footnote: "Footnote", endnote: "Endnote", comment: "Comment" };

/**
 * Reads Word documents: headers first, footers last, and each note and comment after the paragraph that refers to it.
 * Streams the body, so that memory does not grow with it; decision 0023 says why no library does this.
 * @throws DocumentError when the document is damaged, encrypted or too large inside
 */
export const readDocx: ReadFormat = async function* (source, { readInner }) {
  const zip = await openZip(source.path);
  try {
    const main = await mainPart(zip, "word/document.xml");
    const links = await relationships(zip, main);
    const partOf = (type: string) => targetsOf(links, type)[0];
    const context = {
      styleOf: await readStyles(zip, partOf("styles")),
      marker: await readLists(zip, partOf("numbering")),
      notes: new Map<string, string>(),
      holder: zip.holder,
    };
    const hold = zip.holder();
    for (const kind of ["footnote", "endnote", "comment"] as const) {
      const part = partOf(`${kind}s`);
      if (part !== undefined) await readNotes(zip, part, kind, { ...context, hold });
    }
    const edges = new Set<string>();
    for (const part of targetsOf(links, "header")) yield* readEdge(zip, part, context, edges);
    yield* readPart(zip, main, context);
    // Some programs put the whole document into an embedded one, such as HTML.
    for (const part of targetsOf(links, "aFChunk")) yield* readInner(await zip.read(part), posix.basename(part));
    for (const part of targetsOf(links, "footer")) yield* readEdge(zip, part, context, edges);
  } finally {
    zip.close();
  }
};

function readPart(zip: Zip, part: string, context: Context): AsyncGenerator<Block> {
  const found: Block[] = [];
  return walkXml(zip.stream(part), bodyHandlers(context, found), found);
}

/** Yields a header or footer once: those of first and even pages mostly repeat the others. */
async function* readEdge(zip: Zip, part: string, context: Context, edges: Set<string>): AsyncGenerator<Block> {
  const blocks: Block[] = [];
  const hold = zip.holder();
  // Not the texts themselves, which would take a second time the memory of the blocks.
  const texts = createHash("sha256");
  for await (const block of readPart(zip, part, context)) {
    texts.update(`${hold(block.text)}\n`);
    blocks.push(block);
  }
  const known = texts.digest("base64");
  if (edges.has(known)) return;
  edges.add(known);
  // A title in a header does not head the text that follows.
  for (const block of blocks) yield block.kind === "heading" ? { kind: "text", text: block.text, place } : block;
}

async function readNotes(
  zip: Zip,
  part: string,
  kind: keyof typeof noteLabels,
  context: Context & { hold: Hold },
): Promise<void> {
  const { hold } = context;
  const found: Block[] = [];
  const { open, close, text } = bodyHandlers(context, found, hold);
  let key = "";
  let author: string | undefined;
  await parseXml(zip.stream(part), {
    open: (name, attributes) => {
      if (name === kind) {
        key = `${kind} ${attribute(attributes, "id") ?? ""}`;
        author = attribute(attributes, "author");
        hold(key);
      }
      open(name, attributes);
    },
    close: (name) => {
      close(name);
      if (name !== kind) return;
      const texts = found.splice(0).map((block) => block.text);
      const label = author === undefined ? noteLabels[kind] : `${noteLabels[kind]} (${author})`;
      if (texts.length > 0) context.notes.set(key, `${hold(label)}: ${joined(texts, "\n")}`);
    },
    text,
  });
}

/** @param hold counts the blocks found, unless they are passed on at once */
function bodyHandlers(context: Context, found: Block[], hold = uncounted): Required<XmlHandlers> {
  const { styleOf, marker, notes, holder } = context;
  /** The open paragraphs, outermost first: a text box is inside the paragraph that anchors it. */
  const paragraphs: Paragraph[] = [];
  /** Blocks of text boxes, kept until the paragraph around them ends. */
  const held: Block[] = [];
  const writer = blockWriter((block) => {
    hold(block.text);
    (paragraphs.length === 0 ? found : held).push(block);
  }, place);
  /** Counts the text of all open paragraphs, and of the text boxes inside them. */
  let holdOpen = holder();
  let skipped = 0;
  let runs = 0;
  let isText = false;
  let wasItem = false;

  function add(text: string) {
    const paragraph = paragraphs.at(-1);
    if (paragraph !== undefined) paragraph.text = lengthened(paragraph.text, holdOpen(text));
  }

  function closeParagraph() {
    const paragraph = paragraphs.pop();
    if (paragraph === undefined) return;
    const style = styleOf(paragraph.style);
    const list = paragraph.own.list ?? style.list ?? "0";
    const level = paragraph.own.level ?? style.level ?? 0;
    const listLevel = paragraph.own.listLevel ?? style.listLevel ?? 0;
    const text = paragraph.text.trim();
    if (text !== "") {
      const mark = list === "0" ? "" : marker(list, listLevel);
      if (level > 0) writer.paragraph({ text: mark === "- " ? text : `${mark}${text}`, level });
      else writer.paragraph({ text: `${mark}${text}`, tight: mark !== "" && wasItem });
      wasItem = mark !== "" && level <= 0;
    }
    for (const key of paragraph.notes) {
      writer.paragraph({ text: notes.get(key) ?? "" });
      notes.delete(key);
    }
    if (paragraphs.length > 0) return;
    for (const block of held.splice(0)) found.push(block);
    holdOpen = holder();
  }

  return {
    open: (name, attributes) => {
      if (skipped > 0 || leftOut.has(name)) {
        skipped += 1;
        return;
      }
      const paragraph = paragraphs.at(-1);
      if (name === "p") paragraphs.push({ text: "", style: undefined, own: {}, notes: [] });
      else if (name === "r") runs += 1;
      else if (name === "t") isText = true;
      else if (name === "tbl") writer.openTable();
      else if (name === "tc") writer.openCell();
      else if (runs > 0 && (name === "tab" || name === "ptab")) add("\t");
      else if (runs > 0 && (name === "br" || name === "cr")) add("\n");
      else if (name === "noBreakHyphen") add("-");
      else if (paragraph === undefined) return;
      else setOf(paragraph, name, attributes, holdOpen);
    },
    close: (name) => {
      if (skipped > 0) {
        skipped -= 1;
        return;
      }
      if (name === "p") closeParagraph();
      else if (name === "r") runs -= 1;
      else if (name === "t") isText = false;
      else if (name === "tr") writer.closeRow();
      else if (name === "tbl") writer.closeTable();
    },
    text: (text) => {
      if (isText && skipped === 0) add(text);
    },
  };
}

/** Sets what an element inside a paragraph says about it. */
function setOf(paragraph: Paragraph, name: string, attributes: Attributes, hold: Hold): void {
  const value = attribute(attributes, "val") ?? "";
  if (name === "pStyle") paragraph.style = hold(value);
  else if (name.endsWith("Reference")) {
    paragraph.notes.push(hold(`${name.replace("Reference", "")} ${attribute(attributes, "id") ?? ""}`));
  } else setProperty(paragraph.own, name, name === "numId" ? hold(value) : value);
}
