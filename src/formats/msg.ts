import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type msgreader from "@kenjiuno/msgreader";
import type { FieldsData } from "@kenjiuno/msgreader";
import { type Block, DocumentError } from "../words/document.js";
import { checkCompoundFile } from "./compoundFile.js";
import { headOf } from "./eml.js";
import { decodeAs, decodeText } from "./encoding.js";
import type { ReadOptions, Source } from "./format.js";
import { paragraphsOf } from "./paragraphs.js";

/** The whole email is in memory while it is read. */
const maxBytes = 128 * 2 ** 20;
/** Smaller images inside a text are logos and spacers. */
const minInlineBytes = 10_000;
/** Size of a compressed RTF body; its parser takes eight times as much. */
const maxRtfBytes = 8 * 2 ** 20;

const load = createRequire(import.meta.url);

/**
 * Reads an email saved by Outlook: subject, header, text, then its attachments.
 * @throws DocumentError when it is damaged or too large
 */
export async function* readMsg(source: Source, options: ReadOptions): AsyncGenerator<Block> {
  if (source.size > maxBytes) {
    throw new DocumentError("invalid_file", `The email is larger than ${maxBytes / 2 ** 20} MB.`);
  }
  const bytes = await readFile(source.path);
  checkCompoundFile(bytes);
  // By require(), because Node and tsx put its default export at different places under import().
  const { default: MsgReader } = load("@kenjiuno/msgreader") as typeof msgreader;
  const readerOf = (parserConfig: object) =>
    Object.assign(new MsgReader(new Uint8Array(bytes).buffer), { parserConfig });
  let reader = readerOf({});
  let mail = reader.getFileData();
  // The encoding of texts that are not in Unicode is known only once the email is read, so it is read again.
  const ansiEncoding = await encodingOf(mail.messageCodepage ?? mail.internetCodepage);
  if (ansiEncoding !== null) {
    reader = readerOf({ ansiEncoding });
    mail = reader.getFileData();
  }
  const attachments = (mail.attachments ?? []).filter(isWorthReading).map(named);
  yield* headOf({
    subject: mail.subject,
    lines: {
      From: address(mail.senderName, mail.senderSmtpAddress ?? mail.senderEmail),
      To: recipients(mail, "to"),
      Cc: recipients(mail, "cc"),
      Date: dateOf(mail),
      Attachments: attachments.map(({ name }) => name).join(", "),
    },
  });
  yield* bodyOf(mail, options);
  for (const { name, attachment } of attachments)
    yield* options.readInner(reader.getAttachment(attachment).content, name);
}

async function* bodyOf(mail: FieldsData, options: ReadOptions): AsyncGenerator<Block> {
  if (mail.body !== undefined && mail.body.trim() !== "") {
    yield* paragraphsOf(mail.body, {});
    return;
  }
  const html = await htmlOf(mail);
  if (html !== null) {
    const { blocksOfHtml } = await import("./html.js");
    yield* blocksOfHtml(html);
  } else if (mail.compressedRtf !== undefined) {
    // This is the email's text, so its place names no attachment.
    for await (const block of options.readInner(await unpackRtf(mail.compressedRtf), "body.rtf")) {
      yield { ...block, place: {} };
    }
  }
}

async function htmlOf({ bodyHtml, html, internetCodepage }: FieldsData): Promise<string | null> {
  if (bodyHtml !== undefined && bodyHtml.trim() !== "") return bodyHtml;
  if (html === undefined || html.length === 0) return null;
  const encoding = await encodingOf(internetCodepage);
  return encoding === null ? decodeText(html, { markup: true }) : decodeAs(html, encoding);
}

async function unpackRtf(packed: Uint8Array): Promise<Uint8Array> {
  // The length that it claims, without these four bytes: with a wrong one the parser would read past the end.
  const claimed = Buffer.from(packed.subarray(0, 4)).readUInt32LE() + 4;
  if (claimed > packed.length || claimed > maxRtfBytes) {
    throw new DocumentError("invalid_file", "The email's text is damaged or too long.");
  }
  const { decompressRTF } = await import("@kenjiuno/decompressrtf");
  return Uint8Array.from(decompressRTF(Array.from(packed)));
}

/** iconv-lite's name of a Windows code page; null if there is none, as for two-byte Unicode. */
async function encodingOf(codepage: number | undefined): Promise<string | null> {
  if (codepage === undefined) return null;
  const { default: iconv } = await import("iconv-lite");
  const name =
    otherNames[codepage] ??
    (codepage > 28_590 && codepage < 28_607 ? `iso-8859-${codepage - 28_590}` : `cp${codepage}`);
  return iconv.encodingExists(name) ? name : null;
}
const otherNames: Partial<Record<number, string>> = {
  20_127: "ascii",
  20_866: "koi8-r",
  21_866: "koi8-u",
  51_932: "euc-jp",
  51_949: "euc-kr",
  54_936: "gb18030",
  65_001: "utf-8",
};

function recipients(mail: FieldsData, type: "to" | "cc"): string {
  const those = (mail.recipients ?? []).filter(({ recipType }) => recipType === type);
  return those.map(({ name, smtpAddress, email }) => address(name, smtpAddress ?? email)).join(", ");
}

/** Joins a name and an address, and leaves out Exchange's internal addresses, which have no "@". */
function address(name = "", mail = ""): string {
  if (!mail.includes("@") || mail === name) return name;
  return name === "" ? mail : `${name} <${mail}>`;
}

function dateOf({ messageDeliveryTime, clientSubmitTime, creationTime }: FieldsData): string {
  const dates = [clientSubmitTime, messageDeliveryTime, creationTime];
  return dates.find((date) => date !== undefined && !Number.isNaN(Date.parse(date))) ?? "";
}

function isWorthReading({
  dataId,
  innerMsgContent,
  pidContentId,
  attachMimeTag,
  extension,
  contentLength,
}: FieldsData) {
  if (innerMsgContent === true) return true;
  const isPicture = attachMimeTag?.startsWith("image/") ?? /^\.(png|jpe?g|gif|bmp)$/i.test(extension ?? "");
  const isInline = isPicture && pidContentId !== undefined && (contentLength ?? 0) < minInlineBytes;
  // An attachment without an id is a link to a file elsewhere.
  return dataId !== undefined && !isInline;
}

function named(attachment: FieldsData, index: number): { name: string; attachment: FieldsData } {
  const { fileName, fileNameShort, name } = attachment;
  const given = [fileName, fileNameShort, name].find((text) => text !== undefined && text.trim() !== "");
  const known = given ?? `attachment ${index + 1}`;
  return { name: attachment.innerMsgContent === true ? `${known}.msg` : known, attachment };
}
