import { describe, expect, test } from "@jest/globals";
import { DocumentError } from "../../src/words/document.js";
import { attribute, parseXml, walkXml } from "../../src/formats/xmlEvents.js";

async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
}

/** The events that handlers receive, as one text. */
async function told(xml: string | Buffer, pieceSize = 7): Promise<string> {
  const events: string[] = [];
  await parseXml(pieces(Buffer.from(xml as string), pieceSize), {
    open: (name, attributes) => events.push(`<${name} ${Object.entries(attributes).join(" ")}>`),
    close: (name) => events.push(`</${name}>`),
    text: (text) => events.push(text),
  });
  return events.join("");
}

describe("parseXml", () => {
  test("reports names without prefixes, and text with entities decoded", async () => {
    const xml = `<?xml version="1.0"?><w:a xmlns:w="x" w:b="1&amp;2"><c/>é &lt;&#x1F600; <![CDATA[<d>]]></w:a>`;
    expect(await told(xml)).toBe("<a xmlns:w,x w:b,1&2><c ></c>é <😀 <d></a>");
  });

  test.each([
    [
      "UTF-16 with a byte order mark",
      Buffer.from('\ufeff<?xml version="1.0" encoding="UTF-16"?><a>é漢</a>', "utf16le"),
    ],
    ["UTF-16 without one", Buffer.from("<a>é漢</a>", "utf16le")],
    ["UTF-16 big endian", Buffer.from("\ufeff<a>é漢</a>", "utf16le").swap16()],
    ["UTF-8 with a byte order mark", Buffer.from("\ufeff<a>é漢</a>")],
    ["a wrong encoding", Buffer.from('<?xml version="1.0" encoding="UTF-16"?><a>é漢</a>')],
    ["an unknown encoding", Buffer.from('<?xml version="1.0" encoding="klingon"?><a>é漢</a>')],
  ])("reads %s", async (_, bytes) => {
    expect(await told(bytes, 1_000)).toBe("<a >é漢</a>");
  });

  test("uses the declared encoding", async () => {
    const bytes = Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?><a>é</a>', "latin1");
    expect(await told(bytes, 1_000)).toBe("<a >é</a>");
  });

  test.each([
    ["billion laughs", '<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;">]><a>&y;</a>'],
    ["external entities", '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><a>&x;</a>'],
    ["deep nesting", "<a>".repeat(1_001) + "</a>".repeat(1_001)],
    ["text that is not XML", "CORRUPTED"],
    ["nothing", " "],
    ["mismatched tags", "<a><b></a></b>"],
    ["a missing end tag", "<a><b>text</b>"],
    ["many errors", `<a>${"&x;".repeat(1_001)}</a>`],
  ])("refuses %s", async (_, xml) => {
    await expect(told(xml)).rejects.toBeInstanceOf(DocumentError);
  });

  test("leaves unknown entities as written", async () => {
    expect(await told("<!DOCTYPE a><a>&nbsp;&x;\u0001</a>", 1_000)).toBe("<a >&nbsp;&x;\u0001</a>");
  });
});

describe("walkXml", () => {
  test("yields results before it reads on", async () => {
    const xml = `<a>${"<b/>".repeat(4)}</a>`;
    let read = 0;
    async function* source() {
      for await (const piece of pieces(Buffer.from(xml), 8)) {
        read += piece.length;
        yield piece;
      }
    }
    const found: number[] = [];
    const seen: number[] = [];
    for await (const at of walkXml(source(), { open: () => found.push(read) }, found)) seen.push(read - at);
    expect(seen).toEqual([0, 0, 0, 0, 0]);
  });
});

describe("attribute", () => {
  test("finds a value with or without a prefix, and prefers the prefixed one", () => {
    expect(attribute({ "w:val": "1" }, "val")).toBe("1");
    expect(attribute({ val: "1" }, "val")).toBe("1");
    expect(attribute({ id: "256", "r:id": "rId2" }, "id")).toBe("rId2");
    expect(attribute({ "w:interval": "1" }, "val")).toBeUndefined();
  });
});
