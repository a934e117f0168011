import { readFile } from "node:fs/promises";
import type { AddressObject, Attachment, HeaderLines } from "mailparser";
import { type Block, DocumentError } from "../words/document.js";
import { clean } from "./encoding.js";
import type { ReadOptions, Source } from "./format.js";
import { paragraphsOf } from "./paragraphs.js";
import { errorCode } from "../words/errors.js";

/** The whole email is in memory while it is read. */
const maxBytes = 256 * 2 ** 20;
/** Smaller images inside a text are logos and spacers. */
const minInlineBytes = 10_000;

const parserOptions = {
  skipHtmlToText: true,
  skipTextToHtml: true,
  skipTextLinks: true,
  // Otherwise images are written into the HTML.
  keepCidLinks: true,
  // Otherwise a forwarded email may become part of this one's text.
  ignoreEmbedded: true,
};

/**
 * Reads an email: subject, header, text, then its attachments.
 * @throws DocumentError when it is damaged, too large or not an email
 */
export async function* readEml(source: Source, options: ReadOptions): AsyncGenerator<Block> {
  if (source.size > maxBytes) {
    throw new DocumentError("invalid_file", `The email is larger than ${maxBytes / 2 ** 20} MB.`);
  }
  const { simpleParser } = await import("mailparser");
  const bytes = await readFile(source.path);
  const mail = await simpleParser(bytes, parserOptions).catch((cause: unknown) => {
    const problem =
      errorCode(cause) === "EMAXLEN" ? "has too many parts, or too long a header" : "is damaged: it cannot be read";
    throw new DocumentError("invalid_file", `The email ${problem}.`, { cause });
  });
  if (!mail.headerLines.some(({ key }) => mailHeaders.has(key))) {
    throw new DocumentError("invalid_file", "The file is not an email: its header has no sender, date or subject.");
  }
  const attachments = mail.attachments.filter(isWorthReading).map(named);
  yield* headOf({
    subject: mail.subject,
    lines: {
      From: addresses(mail.from),
      To: addresses(mail.to),
      Cc: addresses(mail.cc),
      // As written, because the parser replaces a date that it cannot read by today's.
      Date: rawHeader(mail.headerLines, "date"),
      Attachments: attachments.map(({ name }) => name).join(", "),
    },
  });
  const text = mail.text ?? "";
  yield* paragraphsOf(text, {});
  // Plain text and HTML are two versions of one text only in a multipart/alternative; else the HTML is another part of
  // the text.
  if (mail.html && (text.trim() === "" || !bytes.includes("multipart/alternative"))) {
    const { blocksOfHtml } = await import("./html.js");
    yield* blocksOfHtml(mail.html);
  }
  for (const { name, attachment } of attachments) yield* options.readInner(attachment.content, name);
}

/** Yields the header of an email: the subject as a heading, the other lines as one block. */
export function* headOf(head: { subject: string | undefined; lines: Record<string, string> }): Generator<Block> {
  const subject = oneLine(head.subject ?? "");
  if (subject !== "") yield { kind: "heading", level: 1, text: subject, place: {} };
  const lines = Object.entries(head.lines).filter(([, value]) => value.trim() !== "");
  const text = lines.map(([name, value]) => `${name}: ${oneLine(value)}`).join("\n");
  if (text !== "") yield { kind: "text", text, place: {} };
}

const oneLine = (text: string) => clean(text).replaceAll(/\s+/g, " ").trim();

const mailHeaders = new Set(
  "from to cc bcc sender reply-to subject date message-id received return-path mime-version content-type".split(" "),
);

const addresses = (header: AddressObject | AddressObject[] | undefined) =>
  [header ?? []]
    .flat()
    .map(({ text }) => text)
    .join(", ");

function rawHeader(lines: HeaderLines, name: string): string {
  const line = lines.find(({ key }) => key === name)?.line ?? "";
  return line.slice(line.indexOf(":") + 1);
}

function isWorthReading({ contentType, size, related, cid }: Attachment): boolean {
  if (contentType.endsWith("signature")) return false;
  return !(contentType.startsWith("image/") && (related || cid !== undefined) && size < minInlineBytes);
}

/** Extensions for parts that often have no name; other parts are told by their content. */
const extensions: Partial<Record<string, string>> = {
  "text/html": ".html",
  "text/csv": ".csv",
  "text/calendar": ".ics",
  "text/markdown": ".md",
  "application/json": ".json",
  "message/rfc822": ".eml",
};

function named(attachment: Attachment, index: number): { name: string; attachment: Attachment } {
  const { filename, contentType } = attachment;
  const extension = extensions[contentType] ?? "";
  const name = oneLine(filename ?? "") || `attachment ${index + 1}${extension}`;
  const isMail = contentType === "message/rfc822" && !name.toLowerCase().endsWith(extension);
  return { name: isMail ? name + extension : name, attachment };
}
