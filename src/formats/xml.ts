import { type Block, DocumentError } from "../words/document.js";
import { clean, decodeFile } from "./encoding.js";
import type { ReadFormat } from "./format.js";
import { readText } from "./text.js";

const deepest = 1_000;
/** Of what the parser holds until it is complete: a text, a comment, a document type. In characters. */
const largestPart = 16_777_216;
/** A block ends with the line that makes it this long, and so does a line; in characters. */
const enough = 2_000;
const longestLine = 8_000;

interface Element {
  /** Its name and attributes. */
  line: string;
  text: string;
  /** It has elements, and its line is written. */
  isParent: boolean;
}

/** XML: a line `name attribute="value": text` for each element; what is no XML is read as text. Entities are not expanded. */
export const readXml: ReadFormat = async function* (source, options) {
  if (await isWellFormed(source.path)) yield* blocksOfXml(source.path);
  else yield* readText(source, options);
};

/** Reads the file to its end, so that nothing of it is given out twice, once as XML and once as text. */
async function isWellFormed(path: string): Promise<boolean> {
  const blocks = blocksOfXml(path);
  try {
    while ((await blocks.next()).done !== true);
    return true;
  } catch (error) {
    if (error instanceof DocumentError) throw error;
    return false;
  }
}

/** @throws the parser's error when it is not well-formed. */
async function* blocksOfXml(path: string): AsyncGenerator<Block> {
  const { SaxesParser } = await import("saxes");
  const parser = new SaxesParser();
  const writer = lineWriter();
  let sinceEvent = 0;
  parser.on("error", (error) => {
    // Entities of a document type are left as they are written: one may stand for gigabytes, or for a file of this machine.
    if (!error.message.includes("undefined entity")) throw error;
  });
  parser.on("opentag", ({ name, attributes }) => {
    sinceEvent = 0;
    writer.open(lineOf(name, attributes));
  });
  parser.on("text", writer.text);
  parser.on("cdata", writer.text);
  parser.on("closetag", () => {
    sinceEvent = 0;
    writer.close();
  });
  for await (const piece of decodeFile(path, { markup: true })) {
    sinceEvent += piece.length;
    parser.write(piece);
    if (sinceEvent > largestPart)
      throw new DocumentError("invalid_file", "The XML has a single text of more than 16 MB.");
    yield* writer.take();
  }
  parser.close();
  yield* writer.take();
}

function lineOf(name: string, attributes: Record<string, string>): string {
  const shown = Object.entries(attributes).filter(([key]) => !key.startsWith("xmlns"));
  return [name, ...shown.map(([key, value]) => `${key}="${value}"`)].join(" ");
}

/** Makes lines of elements, and blocks of lines: one for each element that has others, with the lines of these. */
function lineWriter() {
  const elements: Element[] = [];
  /** How deep this is within an element that has text between its elements: all text in there is one. */
  let inline = 0;
  let lines: string[] = [];
  let size = 0;
  /** Some line is not just that of a parent. */
  let hasLeaf = false;
  let blocks: Block[] = [];

  const flush = () => {
    if (lines.length > 0) blocks.push({ kind: "text", text: lines.join("\n"), place: {} });
    lines = [];
    size = 0;
    hasLeaf = false;
  };
  const put = (line: string) => {
    const text = clean(line.replace(/\s+/g, " ").trim());
    lines.push(text);
    size += text.length;
    if (size >= enough) flush();
  };
  const putLeaf = ({ line, text }: Element) => {
    hasLeaf = true;
    put(text === "" ? line : `${line}: ${text}`);
  };

  return {
    open: (line: string): void => {
      if (elements.length + inline >= deepest)
        throw new DocumentError("invalid_file", `The XML is nested more than ${deepest} levels deep.`);
      const parent = elements.at(-1);
      if (inline > 0 || (parent !== undefined && parent.text !== "")) {
        inline += 1;
        return;
      }
      if (parent !== undefined && !parent.isParent) {
        if (hasLeaf) flush();
        parent.isParent = true;
        put(parent.line);
      }
      elements.push({ line, text: "", isParent: false });
    },
    text: (text: string): void => {
      const element = elements.at(-1);
      if (element === undefined) return;
      // White space between elements is layout.
      element.text += element.text === "" ? text.trimStart() : text;
      if (element.text.length <= longestLine) return;
      putLeaf(element);
      element.text = "";
    },
    close: (): void => {
      if (inline > 0) {
        inline -= 1;
        return;
      }
      const element = elements.pop();
      if (element === undefined) return;
      if (!element.isParent || element.text !== "") putLeaf(element);
      if ((element.isParent && hasLeaf) || elements.length === 0) flush();
    },
    take: (): Block[] => {
      const taken = blocks;
      blocks = [];
      return taken;
    },
  };
}
