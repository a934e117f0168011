import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { createHash } from "node:crypto";
import { hashText } from "../../src/litellm/hashing.js";
import { hashTexts } from "../../src/litellm/hashingEmbedder.js";
import { errorOf, litellm } from "./support.js";

const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, each, index) => sum + each * (b[index] ?? 0), 0);
const likeness = (a: string, b: string, dimensions = 1536) => dot(hashText(a, dimensions), hashText(b, dimensions));

describe("hashText", () => {
  test("is a finite unit vector for every text and dimension", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: "binary" }),
          fc.string({ unit: "grapheme" }),
          fc.constantFrom("", " ", "!?", "\ud800"),
        ),
        fc.oneof(fc.integer({ min: 1, max: 8 }), fc.constantFrom(384, 1536, 16_000)),
        (text, dimensions) => {
          const vector = hashText(text, dimensions);
          expect(vector).toHaveLength(dimensions);
          expect(dot(vector, vector)).toBeCloseTo(1, 4);
          expect(hashText(text, dimensions)).toEqual(vector);
        },
      ),
    );
  });

  test("never changes between versions, because stored vectors depend on it", () => {
    const vector = hashText("The quick brown fox", 8);
    expect(Array.from(vector, (each) => Number(each.toFixed(4)))).toMatchInlineSnapshot(`
      [
        0,
        -0.6172,
        0.1543,
        -0.3086,
        -0.6172,
        0.1543,
        -0.3086,
        0,
      ]
    `);
  });

  test("of a long text neither, although it is made piece by piece", () => {
    const pieces = [
      "Ae\u0301 ",
      "한국어",
      "データベース",
      "か\u3099",
      "Straße ΟΔΟΣ",
      "ﷺ",
      "😀",
      "\u1112\u1161\u11ab",
      "ﾊﾞ",
      "İ.",
    ];
    let [text, at] = ["", 7];
    while (text.length < 60_000) {
      at = (at * 48_271) % 2_147_483_647;
      text += pieces[at % pieces.length] ?? "";
    }
    const digest = createHash("sha256")
      .update(Buffer.from(hashText(text, 1536).buffer))
      .digest("hex");
    expect(digest).toBe("3dbe08070c9fc729b1ed1328c399056826184bef7a04a67692164824371529ec");
    expect(hashText(text.normalize("NFKC"), 1536)).toEqual(hashText(text, 1536));
  });

  test.each([
    ["shared words", "how to reset a password", "reset your password in the settings", "the weather in Lisbon"],
    ["inflection", "invoices were cancelled", "cancelling an invoice", "a walk on the beach"],
    ["a typo", "embedding dimensions", "embeding dimensons", "garden furniture"],
    ["German compounds", "Rechnungsnummer", "die Nummer der Rechnung", "Wanderwege im Harz"],
    ["Chinese, without spaces", "如何重置密码", "我忘记了密码，需要重置", "今天天气很好"],
    ["Japanese", "データベースの設定", "データベースを設定する方法", "美味しいラーメン"],
    ["Thai", "การตั้งค่าฐานข้อมูล", "ฐานข้อมูลใหม่", "อาหารอร่อยมาก"],
    ["Russian", "сбросить пароль", "как сбросить мой пароль", "погода в Лиссабоне"],
  ])("%s: likeness is greater", (_, query, near, far) => {
    expect(likeness(query, near)).toBeGreaterThan(likeness(query, far) + 0.1);
  });

  test("case, compatibility forms and punctuation do not matter", () => {
    expect(likeness("Hello, World!", "hello world")).toBeCloseTo(1, 5);
    expect(likeness("ﬁle №1", "FILE NO1")).toBeCloseTo(1, 5);
  });

  test("each repetition counts less", () => {
    expect(likeness("cat ".repeat(50) + "dog", "dog")).toBeGreaterThan(0.1);
  });

  test("different texts without words have different vectors", () => {
    expect(likeness("!!!", "???")).toBeLessThan(0.9);
  });
});

describe("the built-in embedder", () => {
  test("embeds in order, the query like the text", async () => {
    const { embedder } = litellm(null, { dimensions: 64 });
    expect(embedder).toMatchObject({ model: "built-in-hashing", dimensions: 64, builtIn: true });
    const texts = Array.from({ length: 70 }, (_, index) => `text ${index}`);
    const vectors = await embedder.embed(texts);
    expect(vectors).toEqual(texts.map((text) => hashText(text, 64)));
    expect(await embedder.embedQuery("text 3")).toEqual(vectors[3]);
  });

  test.each([
    ["words", Array.from({ length: 20_000 }, (_, i) => `word${i}`).join(" ")],
    ["one word", "a".repeat(200_000)],
    ["characters without spaces", "如何重置密码".repeat(30_000)],
    ["no words", "!?…—".repeat(50_000)],
    ["one letter and its marks", `a${"\u0301\u0323".repeat(20_000)}`],
  ])("lets others work while it embeds a long text of %s", async (_, text) => {
    const { embedder, createEmbeddings } = litellm(null);
    const short = Array.from({ length: 50 }, () => text.slice(0, 4_000));
    for (const embed of [
      () => embedder.embed([text]),
      () => embedder.embed(short),
      () => embedder.embedQuery(text),
      () => createEmbeddings({ input: text }),
    ]) {
      const others = { turns: 0, end: false };
      const turn = () => {
        others.turns += 1;
        if (!others.end) setImmediate(turn);
      };
      setImmediate(turn);
      await embed();
      others.end = true;
      expect(others.turns).toBeGreaterThan(8);
    }
  });

  test("stops in the middle of a text when aborted", async () => {
    const controller = new AbortController();
    const embedded = hashTexts(["one word and another ".repeat(20_000)], 3, controller.signal);
    setImmediate(() => {
      controller.abort(new Error("the caller left"));
    });
    await expect(embedded).rejects.toThrow("the caller left");
  });

  test("stops when aborted", async () => {
    const { embedder } = litellm(null);
    const signal = AbortSignal.abort(new Error("the caller left"));
    await expect(embedder.embed(["a"], { signal })).rejects.toThrow("the caller left");
    await expect(embedder.embedQuery("a", { signal })).rejects.toThrow("the caller left");
  });
});

describe("the built-in createEmbeddings", () => {
  const { createEmbeddings } = litellm(null);

  test("answers in OpenAI's shape, words counted as tokens", async () => {
    const words = await createEmbeddings({ input: "Don't panic: हिन्दी, 東京都 and 字 v2" });
    // Marks belong to their letters, and scripts without spaces count by pairs.
    expect(words.usage.prompt_tokens).toBe(9);
    expect(await createEmbeddings({ model: "built-in-hashing", input: ["one two", "three"] })).toEqual({
      object: "list",
      data: [
        { object: "embedding", index: 0, embedding: Array.from(hashText("one two", 3)) },
        { object: "embedding", index: 1, embedding: Array.from(hashText("three", 3)) },
      ],
      model: "built-in-hashing",
      usage: { prompt_tokens: 3, total_tokens: 3 },
    });
  });

  test("base64 and dimensions", async () => {
    const { data } = await createEmbeddings({ input: "one two", encoding_format: "base64", dimensions: 5 });
    const bytes = Buffer.from(data[0]?.embedding as string, "base64");
    expect(Array.from({ length: 5 }, (_, at) => bytes.readFloatLE(at * 4))).toEqual(Array.from(hashText("one two", 5)));
    expect(bytes).toHaveLength(20);
  });

  test("the configured model's name selects it", async () => {
    expect((await createEmbeddings({ model: "test-model", input: "a" })).model).toBe("built-in-hashing");
  });

  test("no other model", async () => {
    expect(await errorOf(createEmbeddings({ model: "gpt-4", input: "a" }))).toMatchObject({
      status: 404,
      type: "invalid_request_error",
      param: "model",
      code: "model_not_found",
    });
  });

  test.each([[[1, 2]], [[[1, 2], [3]]]])("no tokens: %j", async (input) => {
    expect(await errorOf(createEmbeddings({ input }))).toMatchObject({ status: 400, param: "input" });
  });

  test.each([0, 16_001, 1.5])("no %d dimensions", async (dimensions) => {
    expect(await errorOf(createEmbeddings({ input: "a", dimensions }))).toMatchObject({
      status: 400,
      param: "dimensions",
    });
  });
});
