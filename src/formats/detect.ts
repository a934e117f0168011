import { extname } from "node:path";
import { DocumentError } from "../words/document.js";
import { decodeText } from "./encoding.js";
import type { Source } from "./format.js";
import { encrypted, firstBytes, isOle, openZip } from "./zip.js";

/** The formats that have a reader, and how messages name their documents. */
export const formats = {
  text: "a text file",
  markdown: "a Markdown file",
  html: "an HTML page",
  json: "a JSON file",
  csv: "a CSV file",
  xml: "an XML file",
  rtf: "an RTF document",
  pdf: "a PDF document",
  docx: "a Word document",
  pptx: "a PowerPoint presentation",
  spreadsheet: "a spreadsheet",
  openDocument: "an OpenDocument file",
  epub: "an EPUB book",
  image: "an image",
  eml: "an email",
  msg: "an Outlook message",
};
/** The name of a format that has a reader. */
export type Format = keyof typeof formats;

/** Text formats are told apart by extension; text with any other extension is read as plain text. */
const textExtensions: Partial<Record<string, Format>> = {
  ...extensions("markdown", "md markdown mdown mkd mdx"),
  ...extensions("html", "html htm xhtml xht"),
  ...extensions("json", "json jsonl ndjson geojson"),
  ...extensions("csv", "csv tsv tab"),
  ...extensions("xml", "xml svg rss atom xsd xsl xslt"),
  // Web pages saved by browsers (.mhtml) have the structure of emails.
  ...extensions("eml", "eml mht mhtml"),
};

/** Formats whose content begins with a signature: a file with this extension but without the signature is broken. */
const markedExtensions: Partial<Record<string, Format>> = {
  ...extensions("rtf", "rtf"),
  ...extensions("pdf", "pdf"),
  ...extensions("docx", "docx docm dotx dotm"),
  ...extensions("pptx", "pptx pptm ppsx ppsm potx"),
  ...extensions("spreadsheet", "xlsx xlsm xltx xlsb xls ods ots"),
  ...extensions("openDocument", "odt ott odp otp odg"),
  ...extensions("epub", "epub"),
  ...extensions("image", "png jpg jpeg jpe gif webp tif tiff"),
  ...extensions("msg", "msg"),
};

function extensions(format: Format, names: string): Partial<Record<string, Format>> {
  return Object.fromEntries(names.split(" ").map((name) => [name, format]));
}

/** The end of each message that refuses a format. */
export const readable =
  "This service reads PDF, Word (.docx), PowerPoint (.pptx), Excel (.xlsx, .xls), OpenDocument (.odt, .ods, .odp), " +
  "EPUB, RTF, emails (.eml, .msg), HTML, Markdown, CSV, JSON, XML, plain text, source code and images " +
  "(PNG, JPEG, GIF, WebP, TIFF).";

/** file-type recommends 4,100 bytes; a PDF's signature may follow 1,023 other bytes. */
const headBytes = 8_192;

/**
 * Finds the format of a document by its content, and of a text by its name.
 * @throws DocumentError when no reader knows the format, or the content contradicts the name
 */
export async function detect(source: Source): Promise<Format> {
  const head = await firstBytes(source.path, headBytes);
  if (head.length === 0) throw new DocumentError("invalid_file", "The file is empty.");
  const extension = extname(source.name.trim()).slice(1).toLowerCase();
  if (isOle(head)) return formatOfOle(head, source, extension);
  if (startsWith(head, "PK\x03\x04") || startsWith(head, "PK\x05\x06")) return formatOfZip(head, source, extension);
  const marked = formatOfMark(head);
  if (marked !== null) return marked;
  const isText = looksLikeText(head);
  // Zero bytes occur in UTF-16, whose byte order mark some audio formats share, and in logs.
  const isPlain = isText && (!head.includes(0) || startsWith(head, "\xff\xfe") || startsWith(head, "\xfe\xff"));
  // Some programs write other bytes before a PDF.
  if (head.subarray(0, 1_024).includes("%PDF-") && (extension === "pdf" || !isPlain)) return "pdf";
  const other = isPlain ? null : await otherKind(source.path);
  if (isText && other === null) return formatOfText(head, extension);
  const byName = markedExtensions[extension];
  if (other === null && byName !== undefined) throw notWhatItIsCalled(extension, byName);
  throw new DocumentError("unsupported_file", `The file is ${other ?? "neither text nor a document"}. ${readable}`);
}

const startsWith = (head: Buffer, mark: string, at = 0) => head.toString("latin1", at, at + mark.length) === mark;

function formatOfMark(head: Buffer): Format | null {
  if (startsWith(head, "%PDF-")) return "pdf";
  if (startsWith(head, "{\\rtf")) return "rtf";
  const isImage =
    startsWith(head, "\x89PNG\r\n\x1a\n") ||
    startsWith(head, "\xff\xd8\xff") ||
    startsWith(head, "GIF87a") ||
    startsWith(head, "GIF89a") ||
    (startsWith(head, "RIFF") && startsWith(head, "WEBP", 8)) ||
    ["II*\0", "MM\0*", "II+\0", "MM\0+"].some((mark) => startsWith(head, mark));
  return isImage ? "image" : null;
}

function looksLikeText(head: Buffer): boolean {
  try {
    decodeText(head);
    return true;
  } catch (error) {
    if (error instanceof DocumentError) return false;
    throw error;
  }
}

function formatOfText(head: Buffer, extension: string): Format {
  const format = textExtensions[extension];
  if (format !== undefined) return format;
  const marked = markedExtensions[extension];
  const start = head
    .toString("latin1")
    .replace(/^\xef\xbb\xbf/, "")
    .trimStart();
  const mayBeHtml = marked !== undefined || extension === "";
  // Some programs export HTML under the names of Word and Excel files; some pages have no extension.
  if (mayBeHtml && /^<(!doctype html|html)[\s>]/i.test(start)) return "html";
  if (marked !== undefined) throw notWhatItIsCalled(extension, marked);
  return "text";
}

async function formatOfZip(head: Buffer, source: Source, extension: string): Promise<Format> {
  // OpenDocument and EPUB name their type in the first entry, which is stored without compression.
  const mimetype = startsWith(head, "mimetype", 30) ? head.toString("latin1", 38, 100) : "";
  if (mimetype.startsWith("application/epub+zip")) return "epub";
  if (mimetype.startsWith("application/vnd.oasis.opendocument.spreadsheet")) return "spreadsheet";
  if (mimetype.startsWith("application/vnd.oasis.opendocument.")) return "openDocument";
  const byName = markedExtensions[extension];
  const zip = await openZip(source.path).catch((error: unknown) => {
    throw byName === undefined && error instanceof DocumentError ? archive(error) : error;
  });
  zip.close();
  const has = (folder: string) => [...zip.names].some((name) => name.startsWith(folder));
  if (has("word/")) return "docx";
  if (has("ppt/")) return "pptx";
  if (has("xl/")) return "spreadsheet";
  if (zip.names.has("META-INF/container.xml")) return "epub";
  if (zip.names.has("content.xml")) return byName === "spreadsheet" ? byName : "openDocument";
  throw byName === undefined ? archive() : notWhatItIsCalled(extension, byName);
}

const archive = (cause?: unknown) =>
  new DocumentError(
    "unsupported_file",
    `The file is an archive (zip). Send the documents in it one by one. ${readable}`,
    {
      cause,
    },
  );

/** Tells the formats of Office before 2007, and Outlook messages, apart by the first names in the directory. */
async function formatOfOle(head: Buffer, source: Source, extension: string): Promise<Format> {
  const byName = markedExtensions[extension];
  if (extension === "xls" || extension === "msg") return markedExtensions[extension] ?? "msg";
  const sectorBytes = head[30] === 12 ? 4_096 : 512;
  const directory = await bytesAt(source.path, (head.readUInt32LE(48) + 1) * sectorBytes, 4_096);
  const has = (name: string) => directory.includes(name, 0, "utf16le");
  if (has("__substg1.0_") || has("__properties_version1.0") || has("__nameid_version1.0")) return "msg";
  if (has("Workbook") || has("Book\0")) return "spreadsheet";
  if (has("EncryptedPackage") || has("EncryptionInfo") || has("DataSpaces") || byName !== undefined) throw encrypted();
  const [what, today] =
    has("PowerPoint Document") || extension === "ppt"
      ? ["a PowerPoint presentation in the format from before 2007", ".pptx"]
      : has("WordDocument") || extension === "doc"
        ? ["a Word document in the format from before 2007", ".docx"]
        : ["in an old Office format or in a program's private one", ".docx, .pptx, .xlsx or PDF"];
  throw new DocumentError("unsupported_file", `The file is ${what}. Save it as ${today}.`);
}

async function bytesAt(path: string, position: number, count: number): Promise<Buffer> {
  const { open } = await import("node:fs/promises");
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(count), 0, count, position);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Names the kind of a file that has no reader; null if it is unknown. */
async function otherKind(path: string): Promise<string | null> {
  const { fileTypeFromFile } = await import("file-type");
  // It throws on files that end too early.
  const type = await fileTypeFromFile(path).catch(() => undefined);
  return type === undefined || /^text\/|xml$/.test(type.mime) ? null : `${kindOf(type.mime)} (${type.ext})`;
}

function kindOf(mime: string): string {
  if (mime.startsWith("audio/")) return "an audio recording";
  if (mime.startsWith("video/")) return "a video";
  if (mime.startsWith("image/")) return "an image of an unknown kind";
  if (mime.startsWith("font/")) return "a font";
  if (/zip|tar|compress|rar|7z|xz|zstd|lz/.test(mime)) return "an archive";
  return /executable|msdownload|mach|elf|wasm/.test(mime) ? "a program" : "of another kind";
}

const notWhatItIsCalled = (extension: string, format: Format) =>
  new DocumentError("invalid_file", `The file is called .${extension} but is not ${formats[format]}.`);
