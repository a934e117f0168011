import { type Block, DocumentError } from "../words/document.js";
import { clean, decodeFile } from "./encoding.js";
import type { ReadFormat } from "./format.js";
import { readText } from "./text.js";

const deepest = 1_000;
/** In characters: longest text, comment or document type, which the parser holds until it is complete. */
const largestPart = 16_777_216;
/** In characters: a block ends with the line that makes it this long; a line ends at `longestLine`. */
const enough = 2_000;
const longestLine = 8_000;

interface Element {
  /** Its name and attributes. */
  line: string;
  text: string;
  /** It contains elements, and its line is already written. */
  isParent: boolean;
}

/**
 * Reads XML as a line `name attribute="value": text` per element, without expanding entities. A file that is not
 * well-formed is read as plain text.
 * @throws DocumentError when it is nested too deeply, has too long a text, or has no text
 */
export const readXml: ReadFormat = async function* (source, options) {
  if (await isWellFormed(source.path)) yield* blocksOfXml(source.path);
  else yield* readText(source, options);
};

/** Checks the whole file first, so that no part is yielded twice, as XML and then as text. */
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

/** @throws the parser's error when the file is not well-formed */
async function* blocksOfXml(path: string): AsyncGenerator<Block> {
  const { SaxesParser } = await import("saxes");
  const parser = new SaxesParser();
  const writer = lineWriter();
  let sinceEvent = 0;
  parser.on("error", (error) => {
    // Entities of a document type stay as written: one may stand for gigabytes, or for a file on this machine.
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

/** Turns elements into lines, and lines into blocks: one per element that contains others, with their lines. */
function lineWriter() {
  const elements: Element[] = [];
  /** Depth inside an element with mixed content, whose text is joined to one line; 0 means "not inside". */
  let inline = 0;
  let lines: string[] = [];
  let size = 0;
  /** Whether the block has a line of an element without elements. */
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
      // White space between elements only indents the source.
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
