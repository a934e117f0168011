import type { Block, Place } from "../words/document.js";
import { blockWriter, cleanText } from "./blockWriter.js";
import { readChart } from "./chart.js";
import type { ReadFormat } from "./format.js";
import type { Hold } from "./held.js";
import { mainPart, relationships, targetsOf } from "./ooxml.js";
import { joined, lengthened } from "./paragraphs.js";
import { attribute, parseXml, type XmlHandlers } from "./xmlEvents.js";
import { openZip, type Zip } from "./zip.js";

/** Placeholders without content: the slide number, the date, the image of the slide beside the notes. */
const leftOut = new Set(["sldNum", "dt", "sldImg"]);

/** What was already written and is not repeated on other slides. */
interface Told {
  /** Texts of headers and footers. */
  edges: Set<string>;
  /** Counts them. */
  holdEdge: Hold;
  /** Names of the parts other than slides. */
  parts: Set<string>;
}

/**
 * Reads a presentation slide by slide: title, text, tables, charts and diagrams, then notes and comments.
 * @throws DocumentError when the document is damaged, encrypted or too large inside
 */
export const readPptx: ReadFormat = async function* (source) {
  const zip = await openZip(source.path);
  try {
    const told: Told = { edges: new Set(), holdEdge: zip.holder(), parts: new Set() };
    const slides = await slideParts(zip);
    for (const [index, part] of slides.entries()) yield* await readSlide(zip, part, { slide: index + 1 }, told);
  } finally {
    zip.close();
  }
};

/** The names of the slides' parts in the order of the presentation, which differs from that of the names. */
async function slideParts(zip: Zip): Promise<string[]> {
  const main = await mainPart(zip, "ppt/presentation.xml");
  const targets = new Map((await relationships(zip, main)).map(({ id, target }) => [id, target]));
  const parts = new Set<string>();
  await parseXml(zip.stream(main), {
    open: (name, attributes) => {
      const target = name === "sldId" ? targets.get(attribute(attributes, "id") ?? "") : undefined;
      if (target !== undefined) parts.add(target);
    },
  });
  return [...parts];
}

async function readSlide(zip: Zip, part: string, place: Place, told: Told): Promise<Block[]> {
  const links = await relationships(zip, part);
  const fresh = (targets: readonly string[]) =>
    targets.filter((target) => !told.parts.has(target) && told.parts.add(target));
  const graphics = { charts: new Set<string>(), diagrams: new Set<string>() };
  const linked = (ids: ReadonlySet<string>) => fresh(links.filter(({ id }) => ids.has(id)).map(({ target }) => target));

  const hold = zip.holder();
  const found: Block[] = [];
  await parseXml(zip.stream(part), shapeHandlers(found, place, told, hold, graphics));
  const isTitle = ({ kind }: Block) => kind === "heading";
  // The title goes first, because the file holds shapes in the order that they cover each other.
  const blocks = [...found.filter(isTitle), ...found.filter((block) => !isTitle(block))];

  for (const target of linked(graphics.charts)) await readChart(zip, target, place, blocks, hold);
  for (const target of linked(graphics.diagrams)) {
    await parseXml(zip.stream(target), shapeHandlers(blocks, place, told, hold));
  }
  const notes: Block[] = [];
  for (const target of fresh(targetsOf(links, "notesSlide"))) {
    await parseXml(zip.stream(target), shapeHandlers(notes, place, told, hold));
  }
  const said = joined(
    notes.map(({ text }) => text),
    "\n",
  );
  if (said !== "") blocks.push({ kind: "text", text: `Notes: ${said}`, place });
  for (const target of fresh(targetsOf(links, "comments"))) {
    await parseXml(zip.stream(target), commentHandlers(blocks, place, hold));
  }
  return blocks;
}

function shapeHandlers(
  found: Block[],
  place: Place,
  { edges, holdEdge }: Told,
  hold: Hold,
  graphics?: { charts: Set<string>; diagrams: Set<string> },
): XmlHandlers {
  const writer = blockWriter((block) => {
    hold(block.text);
    found.push(block);
  }, place);
  let placeholder = "";
  let title = "";
  let text = "";
  let isText = false;
  let isFirst = true;
  let skipped = 0;

  function closeParagraph() {
    // PowerPoint escapes a line break in a title as a vertical tab.
    const paragraph = text.replace(/_x000[BD]_/g, "\n").trim();
    text = "";
    if (paragraph === "" || leftOut.has(placeholder)) return;
    if (placeholder === "title" || placeholder === "ctrTitle") {
      title = spaced(title, paragraph);
      return;
    }
    if (placeholder === "ftr" || placeholder === "hdr") {
      if (edges.has(paragraph)) return;
      edges.add(holdEdge(paragraph));
    }
    writer.paragraph({ text: paragraph, tight: !isFirst });
    isFirst = false;
  }

  return {
    open: (name, attributes) => {
      if (skipped > 0 || name === "Fallback") skipped += 1;
      else if (name === "sp" || name === "graphicFrame" || name === "pt") [placeholder, isFirst] = ["", true];
      else if (name === "ph") placeholder = attribute(attributes, "type") ?? "";
      else if (name === "p") text = "";
      else if (name === "t") isText = true;
      else if (name === "br") text = lengthened(text, "\n");
      else if (name === "tbl") writer.openTable();
      else if (name === "tc") writer.openCell();
      else if (name === "chart") graphics?.charts.add(hold(attribute(attributes, "id") ?? ""));
      else if (name === "relIds") graphics?.diagrams.add(hold(attribute(attributes, "dm") ?? ""));
    },
    text: (more) => {
      if (isText && skipped === 0) text = lengthened(text, more);
    },
    close: (name) => {
      if (skipped > 0) skipped -= 1;
      else if (name === "t") isText = false;
      else if (name === "p") closeParagraph();
      else if (name === "tr") writer.closeRow();
      else if (name === "tbl") writer.closeTable();
      else if (name === "sp") {
        writer.paragraph({ text: title, level: 1 });
        title = "";
      }
    },
  };
}

const spaced = (text: string, more: string) => (text === "" ? more : lengthened(text, ` ${more}`));

/** Comments of PowerPoint before 2021 have one text; later ones have paragraphs of runs, and replies. */
function commentHandlers(found: Block[], place: Place, hold: Hold): XmlHandlers {
  let comment = "";
  let isText = false;
  return {
    open: (name) => {
      if (name === "text" || name === "t") isText = true;
    },
    text: (text) => {
      if (isText) comment = spaced(comment, text);
    },
    close: (name) => {
      if (name === "text" || name === "t") isText = false;
      if (name !== "cm") return;
      const text = cleanText(comment);
      if (text !== "") found.push({ kind: "text", text: hold(`Comment: ${text}`), place });
      comment = "";
    },
  };
}
