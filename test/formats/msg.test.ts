import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import type { Block } from "../../src/words/document.js";
import { readMsg } from "../../src/formats/msg.js";
import { type Folder, makeCompoundFile, numbers, properties } from "./makeMail.js";
import { withFile } from "./readBytes.js";

/** The blocks of an email, and the documents inside it. */
function read(bytes: Buffer): Promise<{ blocks: Block[]; inner: [string, Buffer][] }> {
  return withFile(bytes, async (path) => {
    const blocks: Block[] = [];
    const inner: [string, Buffer][] = [];
    const options = {
      describeImage: () => Promise.reject(new Error("There is no model.")),
      pdfVision: false,
      depth: 0,
      async *readInner(content: Uint8Array, name: string): AsyncGenerator<Block> {
        inner.push([name, Buffer.from(content)]);
        yield await Promise.resolve({ kind: "text", text: `<${name}>`, place: { attachment: name } });
      },
    };
    for await (const block of readMsg({ path, size: bytes.length, name: "a.msg" }, options)) blocks.push(block);
    return { blocks, inner };
  });
}

const textsOf = async (folder: Folder) => (await read(makeCompoundFile(folder))).blocks.map(({ text }) => text);

const mail = (more: Folder = {}): Folder => ({
  ...properties({ "0037": "News", "0C1A": "Ann", "0C1F": "ann@example.com" }),
  ...numbers({}),
  ...more,
});

describe("a mail", () => {
  test("has a subject, a header and a text", async () => {
    const recipient = (name: string, address: string, type: number) => ({
      ...properties({ "3001": name, "39FE": address }),
      ...numbers({ 0x0c150003: type }, 8),
    });
    const { blocks } = await read(
      makeCompoundFile({
        ...mail(properties({ "1000": "Hello.\r\n\r\nBye.\r\n" })),
        "__recip_version1.0_#00000000": recipient("Bob", "bob@example.com", 1),
        "__recip_version1.0_#00000001": recipient("c@example.com", "c@example.com", 2),
      }),
    );
    expect(blocks).toEqual([
      { kind: "heading", level: 1, text: "News", place: {} },
      { kind: "text", text: "From: Ann <ann@example.com>\nTo: Bob <bob@example.com>\nCc: c@example.com", place: {} },
      { kind: "text", text: "Hello.", place: {} },
      { kind: "text", text: "Bye.", place: {} },
    ]);
  });

  test("without Unicode is read in its code page", async () => {
    const folder = { ...numbers({ 0x3ffd0003: 1251 }), "__substg1.0_1000001E": Buffer.from("cff0e8e2e5f2", "hex") };
    expect(await textsOf(folder)).toEqual(["Привет"]);
  });

  test("with HTML only is read as HTML", async () => {
    const page = Buffer.from("<p>The <b>p\xe9ge</b>.</p>", "latin1");
    const folder = mail({ ...numbers({ 0x3fde0003: 1252 }), "__substg1.0_10130102": page });
    expect((await textsOf(folder)).slice(2)).toEqual(["The pége."]);
  });

  test("with RTF only is read as RTF, not as an attachment", async () => {
    const rtf = Buffer.from("{\\rtf1 Hello}");
    const packed = Buffer.alloc(16 + rtf.length);
    packed.writeUInt32LE(12 + rtf.length, 0);
    packed.writeUInt32LE(rtf.length, 4);
    packed.write("MELA", 8);
    rtf.copy(packed, 16);
    const { blocks, inner } = await read(makeCompoundFile(mail({ "__substg1.0_10090102": packed })));
    expect(inner).toEqual([["body.rtf", rtf]]);
    expect(blocks.at(-1)).toEqual({ kind: "text", text: "<body.rtf>", place: {} });
    // A length past the end would make the parser write gigabytes of zeros.
    packed.writeUInt32LE(0x7fffffff, 0);
    await expect(read(makeCompoundFile(mail({ "__substg1.0_10090102": packed })))).rejects.toMatchObject({
      code: "invalid_file",
    });
  });
});

describe("attachments", () => {
  const attachment = (name: string, content: Buffer, more: Readonly<Record<string, string>> = {}): Folder => ({
    ...properties({ "3707": name, ...more }),
    ...numbers({}, 8),
    "__substg1.0_37010102": content,
  });

  test("are named in the header and read by their format", async () => {
    const { blocks, inner } = await read(
      makeCompoundFile({
        ...mail(properties({ "1000": "See below." })),
        "__attach_version1.0_#00000000": attachment("a.txt", Buffer.from("text")),
        "__attach_version1.0_#00000001": attachment("logo.png", Buffer.alloc(100), {
          "370E": "image/png",
          "3712": "logo",
        }),
      }),
    );
    expect(blocks[1]?.text).toBe("From: Ann <ann@example.com>\nAttachments: a.txt");
    expect(blocks.at(-1)?.place).toEqual({ attachment: "a.txt" });
    expect(inner).toEqual([["a.txt", Buffer.from("text")]]);
  });

  test("that are mails become separate mails", async () => {
    const { inner } = await read(
      makeCompoundFile({
        ...mail(),
        "__attach_version1.0_#00000000": {
          ...properties({ "3001": "Forwarded" }),
          ...numbers({}, 8),
          "__substg1.0_3701000D": { ...properties({ "0037": "Inner", "1000": "Inner text" }), ...numbers({}, 24) },
        },
      }),
    );
    expect(inner.map(([name]) => name)).toEqual(["Forwarded.msg"]);
    const { blocks } = await read(inner[0]?.[1] ?? Buffer.alloc(0));
    expect(blocks.map(({ text }) => text)).toEqual(["Inner", "Inner text"]);
  });
});

describe("is refused", () => {
  const whole = makeCompoundFile(mail(properties({ "1000": "x".repeat(10_000) })));
  const directory = (whole.readUInt32LE(48) + 1) * 512;
  const refusal = (bytes: Buffer) => expect(read(bytes)).rejects.toMatchObject({ code: "invalid_file" });
  const changed = (change: (bytes: Buffer) => void) => {
    const bytes = Buffer.from(whole);
    change(bytes);
    return bytes;
  };

  test("a file that is not a compound file", () => refusal(Buffer.from("no such thing")));

  test("a sector chain with a cycle", () =>
    // The directory's first sector is its own successor.
    refusal(
      changed((bytes) => {
        const table = (bytes.readUInt32LE(76) + 1) * 512;
        bytes.writeUInt32LE(bytes.readUInt32LE(48), table + 4 * bytes.readUInt32LE(48));
      }),
    ));

  test("a directory with a cycle", () => refusal(changed((bytes) => bytes.writeUInt32LE(0, directory + 128 + 68))));

  test("streams that claim more bytes than exist", () =>
    refusal(
      changed((bytes) => {
        for (let at = directory; at < directory + 512; at += 128) {
          if (bytes[at + 66] === 2) bytes.writeUInt32LE(0x7fffffff, at + 120);
        }
      }),
    ));
});

test("reading ends whatever bytes are wrong", async () => {
  const whole = makeCompoundFile(mail(properties({ "1000": "x".repeat(5_000) })));
  const changes = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(changes, async (places) => {
      const bytes = Buffer.from(whole);
      for (const [at, value] of places) bytes[at] = value;
      const texts = await read(bytes).then(
        ({ blocks }) => blocks.map(({ text }) => text),
        () => [],
      );
      expect(texts.every((text) => text.trim() !== "" && !text.includes("\0"))).toBe(true);
    }),
    { numRuns: 200 },
  );
});
