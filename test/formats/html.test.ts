import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import iconv from "iconv-lite";
import { blocksOfHtml, readHtml } from "../../src/formats/html.js";
import { readBytes } from "./readBytes.js";

const blocks = (html: string) => [...blocksOfHtml(html)];
const texts = (html: string) => blocks(html).map(({ text }) => text);

describe("blocksOfHtml", () => {
  test("finds headings and paragraphs", () => {
    expect(
      blocks(
        "<h1>One</h1><p>First <b>bold</b>\n  text<p>Second<div>Third<section>Fourth</section></div><h2>Two<br>lines</h2>",
      ),
    ).toEqual([
      { kind: "heading", level: 1, text: "One", place: {} },
      { kind: "text", text: "First bold text", place: {} },
      { kind: "text", text: "Second", place: {} },
      { kind: "text", text: "Third", place: {} },
      { kind: "text", text: "Fourth", place: {} },
      { kind: "heading", level: 2, text: "Two lines", place: {} },
    ]);
  });

  test("treats white space as browsers do", () => {
    expect(texts("<p> a\n\t b<i> c</i> <i>d</i>e&nbsp;&nbsp; f<br> g <br>h<wbr>i</p>")).toEqual(["a b c de f\ng\nhi"]);
    expect(texts("<pre>\n  a\r\n    b <b>c</b>\n\n</pre><p>x</p>")).toEqual(["  a\n    b c", "x"]);
    expect(texts("<pre><div>one</div><div>  two</div></pre>")).toEqual(["one\n  two"]);
    expect(texts("<button>a</button><button>b</button><a>c</a><a>d</a>e<a>f</a>")).toEqual(["a b c def"]);
  });

  test("decodes entities", () => {
    expect(texts("<p>&auml;&#8364;&#x1F600;&lt;b&gt; &amp;amp; a&b &unknown; &#0;&#xd800;</p>")).toEqual([
      "ä€😀<b> &amp; a&b &unknown; \ufffd\ufffd",
    ]);
  });

  test("leaves out hidden content", () => {
    const html =
      "<head><style>a{}</style><script>if (a < b) '<p>no</p>'</script></head><!-- no --><p>yes</p>" +
      "<template><p>no<template>no</template>no</p></template><svg><title>no</title><text>no</text><g/></svg>" +
      "<iframe src=x>no</iframe><p>again</p><![CDATA[no]]><noscript>without scripts</noscript>";
    expect(texts(html)).toEqual(["yes", "again", "without scripts"]);
    expect(texts("<svg/>a<p>b</p><svg><path d='x'><p>c</p><template shadowrootmode=open>d</template>")).toEqual([
      "a",
      "b",
      "c",
      "d",
    ]);
  });

  test("keeps the texts of links, pictures and options", () => {
    expect(texts('<p>See <a href="x">the page</a>: <img src=a alt="A &quot;cat&quot;"><img alt=""> end</p>')).toEqual([
      'See the page: A "cat" end',
    ]);
    expect(texts("<select><option>a<option>b</select>")).toEqual(["a\nb"]);
  });

  test("writes lists with markers", () => {
    expect(blocks("<ul><li>a<li><p>b</p><p>more</p><ul><li>c</ul></ul><ol start=3><li>d</li><li>e</li></ol>")).toEqual([
      { kind: "text", text: "- a", place: {} },
      { kind: "text", text: "- b", place: {}, before: "\n" },
      { kind: "text", text: "more", place: {} },
      { kind: "text", text: "  - c", place: {} },
      { kind: "text", text: "3. d", place: {}, before: "\n" },
      { kind: "text", text: "4. e", place: {}, before: "\n" },
    ]);
  });

  test("turns tables into rows", () => {
    const html =
      "<table><caption>Ages</caption><thead><tr><th>Name</th><th>Age</th></tr></thead><tbody>" +
      "<tr><td>Anna<td><p>31</p><p>years</p><tr><td>Bernd</td><td></td></tr></table>end";
    expect(blocks(html)).toEqual([
      { kind: "text", text: "Ages", place: {} },
      { kind: "row", text: "Name | Age", header: null, place: {} },
      { kind: "row", text: "Anna | 31 years", header: "Name | Age", place: {} },
      { kind: "row", text: "Bernd", header: "Name | Age", place: {} },
      { kind: "text", text: "end", place: {} },
    ]);
  });

  test("keeps all cells of odd tables apart", () => {
    expect(texts("<table><tr><td colspan=2>A<td rowspan=3>B<tr><td>C</td>x<td>D</td></table>")).toEqual([
      "A | B",
      "C x | D",
    ]);
    expect(texts("<table><tr><td>a<table><tr><td>b<td>c</table>d<td>e</table>")).toEqual(["a", "b | c", "d | e"]);
    expect(texts("<td>a</td><td>b</td></table></tr>c")).toEqual(["a", "b", "c"]);
    expect(texts("<table><tr><td>a<td>b")).toEqual(["a | b"]);
  });

  test("reads layout tables as text", () => {
    expect(blocks("<table><tr><td><h1>Title</h1><p>one</p><p>two</p></td></tr></table>")).toEqual([
      { kind: "heading", level: 1, text: "Title", place: {} },
      { kind: "text", text: "one", place: {} },
      { kind: "text", text: "two", place: {} },
    ]);
  });

  test.each([
    ["<title>The\n page</title><h1>Other</h1>", ["The page", "Other"]],
    ["<title>Same</title><p>x</p><h1>Same</h1>", ["x", "Same"]],
    ["<title>Only &amp; this</title>", ["Only & this"]],
    ["<title></title><p>x", ["x"]],
    ["<title>a</title><title>b</title>x", ["a", "x"]],
  ])("puts the title first: %s", (html, expected) => {
    expect(texts(html)).toEqual(expected);
  });

  test("ends an unclosed heading where other text begins", () => {
    expect(blocks("<h2>Head<p>text<p>more").map(({ kind, text }) => [kind, text])).toEqual([
      ["heading", "Head"],
      ["text", "text"],
      ["text", "more"],
    ]);
    expect(blocks("<h2><div>Head</div></h2>")[0]?.kind).toBe("heading");
  });

  test("reads broken markup", () => {
    expect(texts("a < b <3 <> </> <<p>c</p a=b></div></div>d <b")).toEqual(["a < b <3 <> <", "c", "d"]);
    expect(texts("<p>a<!-- never closed <p>b")).toEqual(["a"]);
  });

  test.each([
    ["divs", "<div>", "text", ["text"]],
    ["closed divs", "<div>", `text${"</b></div>".repeat(100_000)}`, ["text"]],
    ["tables", "<table><tr><td>", "text", ["text"]],
    ["lists", "<ul><li>", "text", ["                - text"]],
    ["spans", "<span> ", "text", ["text"]],
    ["cells", "<td> ", "text", ["text"]],
    ["drawings", "<svg>", "<p>text", ["text"]],
    ["<", "<", "p>text", ["<".repeat(99_999), "text"]],
  ])("reads a hundred thousand nested %s", (_, open, end, expected) => {
    expect(texts(open.repeat(100_000) + end)).toEqual(expected);
  });

  test("reads markup across the borders of its pieces", () => {
    for (const part of ["<p class='a &amp; b'>ä &amp; 😀</p>", "<!-- x --><script></script>y<br>"]) {
      const html = `<div>${part.repeat(8_000)}</div>`;
      const once = texts(part).join(" ");
      const all = texts(html).join(" ").replaceAll("\n", " ");
      expect(all === Array<string>(8_000).fill(once).join(" ")).toBe(true);
    }
  });

  test("loses no words of any tag soup, and never fails", () => {
    const tags = "p div b table tr td th thead caption ul ol li h1 h2 pre br a span option section".split(" ");
    const tag = fc.tuple(fc.constantFrom("<", "</"), fc.constantFrom(...tags), fc.constantFrom(">", " class=x>", "/>"));
    const word = fc.integer({ min: 0, max: 999 }).map((n) => ` w${n} `);
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            tag.map((parts) => parts.join("")),
            word,
          ),
          { maxLength: 60 },
        ),
        (parts) => {
          const html = parts.join("");
          const found = blocks(html);
          const words = (content: string) => content.match(/w\d+/g) ?? [];
          expect(words(found.map(({ text }) => text).join(" "))).toEqual(words(html));
          for (const { text } of found) expect(text.trim()).not.toBe("");
        },
      ),
    );
  });

  test("returns only text that a database can store", () => {
    expect(texts("<p>a\0b\ufeffc\ud800d</p><table><tr><td>a\0<td>\ud800</table>")).toEqual([
      "abc\ufffdd",
      "a | \ufffd",
    ]);
    expect(texts("<p>\0</p><ul><li>&#xfeff;</ul><p>a")).toEqual(["a"]);
  });
});

describe("readHtml", () => {
  const read = (bytes: Buffer) => readBytes(readHtml, bytes, "a.html");

  test("uses the page's encoding", async () => {
    const page = "<html><head><meta charset=windows-1251></head><body>Привет</body></html>";
    expect(await read(iconv.encode(page, "windows-1251"))).toMatchObject([{ text: "Привет" }]);
    expect(await read(Buffer.from(`\ufeff${page}`, "utf16le"))).toMatchObject([{ text: "Привет" }]);
  });

  test.each([
    ["", "The file is empty."],
    ["<html><body><script>x</script></body></html>", "The page has no text."],
  ])("refuses %j", async (page, message) => {
    await expect(read(Buffer.from(page))).rejects.toMatchObject({ code: "invalid_file", message });
  });

  test("refuses pages that are too large", async () => {
    const options = undefined as never;
    const source = { path: "/none", size: 64 * 2 ** 20 + 1, name: "a.html" };
    await expect(readHtml(source, options)[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: "invalid_file",
    });
  });
});
