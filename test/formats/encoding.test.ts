import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import iconv from "iconv-lite";
import { DocumentError } from "../../src/words/document.js";
import { decodeAs, decodeFile, decodeText } from "../../src/formats/encoding.js";
import { withFile } from "./readBytes.js";

const russian =
  "Съешь ещё этих мягких французских булок, да выпей чаю.\nВ чащах юга жил бы цитрус? Да, но фальшивый экземпляр!\n";
const japanese =
  "名前,年齢,住所\n佐藤太郎,30,東京\n三木英子,25,大阪\n髙橋淳,35,名古屋\n吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。\n";
const chinese = "这是一个测试文件，用来检查中文编码是否能够正确识别。请不要删除这些文字，谢谢合作！\n";
const german = "Der schöne Käse kostet 3,50 € – „köstlich“, sagte Frau Müller. Straße, Größe, Übermut.\n";

function wordsOfFile(bytes: Buffer): Promise<string> {
  return withFile(bytes, async (path) => {
    let text = "";
    for await (const piece of decodeFile(path)) text += piece;
    return text;
  });
}

describe("decodeText and decodeFile", () => {
  test.each<[string, string, Buffer]>([
    ["UTF-8", german, Buffer.from(german)],
    ["UTF-8 with a byte order mark", german, Buffer.from(`\ufeff${german}`)],
    ["UTF-16 LE with a byte order mark", russian, Buffer.from(`\ufeff${russian}`, "utf16le")],
    ["UTF-16 BE with a byte order mark", japanese, Buffer.from(`\ufeff${japanese}`, "utf16le").swap16()],
    ["UTF-16 LE without a byte order mark", german, Buffer.from(german, "utf16le")],
    ["UTF-16 BE without a byte order mark", russian, Buffer.from(russian, "utf16le").swap16()],
    ["UTF-32 LE", chinese, iconv.encode(chinese, "utf-32le", { addBOM: true })],
    ["UTF-32 BE", chinese, iconv.encode(chinese, "utf-32be", { addBOM: true })],
    ["windows-1252", german, iconv.encode(german, "windows-1252")],
    ["windows-1251", russian, iconv.encode(russian, "windows-1251")],
    ["KOI8-R", russian, iconv.encode(russian, "koi8-r")],
    ["Shift JIS of Windows", japanese, iconv.encode(japanese, "cp932")],
    ["EUC-JP", japanese.replace("髙", "高"), iconv.encode(japanese.replace("髙", "高"), "euc-jp")],
    ["GB 18030", chinese, iconv.encode(chinese, "gb18030")],
    ["ISO-2022-JP", "名前\n", Buffer.from("\u001b$BL>A0\u001b(B\n", "latin1")],
  ])("know %s", async (_, text, bytes) => {
    expect(decodeText(bytes)).toBe(text);
    expect(await wordsOfFile(bytes)).toBe(text);
  });

  test("read UTF-8 with a broken character as UTF-8", async () => {
    const bytes = Buffer.concat([Buffer.from(russian), Buffer.from([0xd0]), Buffer.from("\nend")]);
    expect(decodeText(bytes)).toBe(`${russian}\ufffd\nend`);
    expect(await wordsOfFile(bytes)).toBe(`${russian}\ufffd\nend`);
  });

  test("replace errors after the beginning by U+FFFD", async () => {
    const beginning = "é".repeat(700_000);
    const bytes = Buffer.concat([Buffer.from(beginning), Buffer.from([0xff]), Buffer.from("end")]);
    expect(await wordsOfFile(bytes)).toBe(`${beginning}\ufffdend`);
  });

  test.each(["", "x"])("do not split a character at the end of the sample, after %j", async (shift) => {
    const text = shift + "é".repeat(600_000);
    expect((await wordsOfFile(Buffer.from(text))) === text).toBe(true);
  });

  test("do not split a UTF-16 character between two pieces", async () => {
    const text = `x${"😀".repeat(300_000)}`;
    await withFile(Buffer.from(`\ufeff${text}`, "utf16le"), async (path) => {
      const pieces: string[] = [];
      for await (const piece of decodeFile(path)) pieces.push(piece);
      expect(pieces.length).toBeGreaterThan(1);
      expect(pieces.every((piece) => piece.isWellFormed())).toBe(true);
      expect(pieces.join("") === text).toBe(true);
    });
  });

  test("return all UTF-8 texts unchanged", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (text) => {
        fc.pre(!/[\0\ufeff]/.test(text) && !text.includes("\u001b$B"));
        expect(decodeText(Buffer.from(text))).toBe(text.toWellFormed());
      }),
    );
  });

  test("return only text that a database can store", () => {
    expect(decodeText(Buffer.from("a\0\0b\ufeffc"))).toBe("a bc");
    const half = Buffer.from([0xff, 0xfe, 0x41, 0, 0x3d, 0xd8, 0x42, 0]);
    expect(decodeText(half)).toBe("A\ufffdB");
  });

  test("fail only with a DocumentError", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        const results = await Promise.allSettled([
          Promise.resolve().then(() => decodeText(bytes)),
          wordsOfFile(Buffer.from(bytes)),
        ]);
        for (const result of results) {
          if (result.status === "rejected") expect(result.reason).toBeInstanceOf(DocumentError);
          else expect(result.value.isWellFormed() && !/[\0\ufeff]/.test(result.value)).toBe(true);
        }
      }),
    );
  });

  test("refuse binary data", async () => {
    const bytes = Buffer.from(Array.from({ length: 5_000 }, (_, i) => (i * i * 31 + (i >> 3)) % 256));
    expect(() => decodeText(bytes)).toThrow(DocumentError);
    await expect(wordsOfFile(bytes)).rejects.toMatchObject({ code: "unsupported_file" });
  });

  test("treat coloured logs and logs with a gap of zeros as text", () => {
    const coloured = "\u001b[32mok\u001b[0m\n".repeat(100);
    expect(decodeText(Buffer.from(coloured))).toBe(coloured);
    expect(decodeText(Buffer.from(`before\n${"\0".repeat(10_000)}after\n`))).toBe("before\n after\n");
  });
});

describe("the encoding named in markup", () => {
  const read = (head: string, text: string, encoding: string) =>
    decodeText(iconv.encode(`${head}${text}`, encoding), { markup: true }).slice(head.length);

  test.each([
    ['<meta charset="koi8-r">', "да", "koi8-r"],
    ["<meta http-equiv=Content-Type content='text/html; charset=windows-1250'>", "žluťoučký kůň", "windows-1250"],
    ['<?xml version="1.0" encoding="ISO-8859-2"?>', "kůň", "iso-8859-2"],
    ["<meta charset=iso-8859-1>", "„quoted“", "windows-1252"],
    ["<meta charset=Shift_JIS>", "髙", "cp932"],
  ])("is believed: %s", (head, text, encoding) => {
    expect(read(head, text, encoding)).toBe(text);
  });

  test("is ignored if the text is UTF-8", () => {
    expect(read("<meta charset=windows-1252>", "größer", "utf-8")).toBe("größer");
  });

  test("is ignored if it is unknown", () => {
    expect(read("<meta charset=nonsense>", german, "windows-1252")).toBe(german);
  });
});

describe("decodeAs", () => {
  test("knows encodings by name and by number", () => {
    expect(decodeAs(Buffer.from([0xe4, 0x80]), "1252")).toBe("ä€");
    expect(decodeAs(iconv.encode("да", "cp1251"), "windows-1251")).toBe("да");
    expect(decodeAs(Buffer.from("ä"), "utf-8")).toBe("ä");
  });

  test("treats an unknown encoding as windows-1252", () => {
    expect(decodeAs(Buffer.from([0x93]), "12345")).toBe("“");
  });
});
