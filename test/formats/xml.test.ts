import { describe, expect, test } from "@jest/globals";
import iconv from "iconv-lite";
import { readXml } from "../../src/formats/xml.js";
import { readBytes } from "./readBytes.js";

const read = (xml: string | Buffer) => readBytes(readXml, Buffer.from(xml), "a.xml");
const texts = async (xml: string | Buffer) => (await read(xml)).map(({ text }) => text);

describe("readXml", () => {
  test("writes a line for each element, and a block for each with child elements", async () => {
    const xml = `<?xml version="1.0"?><!-- no --><catalog xmlns="urn:x">
      <book id="1" lang="de"><title>One &amp; <![CDATA[<two>]]></title><empty/><price currency="EUR">3.50</price></book>
      <book id="2"><title>
        Other
        title</title></book>
    </catalog>`;
    expect(await read(xml)).toEqual([
      {
        kind: "text",
        text: 'catalog\nbook id="1" lang="de"\ntitle: One & <two>\nempty\nprice currency="EUR": 3.50',
        place: {},
      },
      { kind: "text", text: 'book id="2"\ntitle: Other title', place: {} },
    ]);
  });

  test("reads mixed content as one text", async () => {
    expect(await texts("<d><p>Some <b>bold <i>and</i></b> H<sub>2</sub>O</p><p>More</p></d>")).toEqual([
      "d\np: Some bold and H2O\np: More",
    ]);
    expect(await texts("<d><a>x</a>text</d>")).toEqual(["d\na: x\nd: text"]);
  });

  test("ends long blocks, and cuts long texts", async () => {
    const many = await texts(`<d>${"<a>some words</a>".repeat(1_000)}</d>`);
    expect(many.length).toBeGreaterThan(5);
    expect(many.join("\n")).toBe(`d\n${Array(1_000).fill("a: some words").join("\n")}`);
    const long = `<d>${"some words <b/>".repeat(5_000)}</d>`;
    expect((await texts(long)).length).toBeGreaterThan(5);
    expect((await texts(long)).join(" ").match(/some words/g)).toHaveLength(5_000);
  });

  test("expands no entities", async () => {
    const laughs =
      '<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;"><!ENTITY file SYSTEM "file:///etc/passwd">]>' +
      "<lolz><a>&lol2;</a><b>&file;</b><c>&lt;&#228;</c><d>&constructor;</d></lolz>";
    expect(await texts(laughs)).toEqual(["lolz\na: &lol2;\nb: &file;\nc: <ä\nd: &constructor;"]);
  });

  test("uses the declared encoding", async () => {
    const xml = '<?xml version="1.0" encoding="windows-1251"?><a>Привет</a>';
    expect(await texts(iconv.encode(xml, "windows-1251"))).toEqual(["a: Привет"]);
    expect(await texts(Buffer.from(`\ufeff${xml}`, "utf16le"))).toEqual(["a: Привет"]);
  });

  test.each(["<a><b>text</a>", "just text", "<a>x</a><b>y</b>", "<a b=c>x</a>"])(
    "reads %j as plain text",
    async (text) => {
      expect(await read(text)).toEqual([{ kind: "text", text, place: {}, before: "" }]);
    },
  );

  test("returns a file that is broken at its end as plain text", async () => {
    const broken = `<d>${"<a>some words</a>".repeat(200_000)}<b>`;
    expect((await texts(broken)).join("") === broken).toBe(true);
  });

  test("refuses empty and too deeply nested files", async () => {
    await expect(read("<a>".repeat(100_000))).rejects.toThrow("nested more than 1000 levels");
    await expect(read(`x${"<a>x".repeat(100_000)}`.slice(1))).rejects.toThrow("nested more than 1000 levels");
    await expect(read("")).rejects.toMatchObject({ code: "invalid_file", message: "The file is empty." });
  });

  test("refuses a text that is too long", async () => {
    await expect(read(`<a>${"x".repeat(20_000_000)}</a>`)).rejects.toThrow("more than 16 MB");
  });
});
