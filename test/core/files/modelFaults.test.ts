import { describe, expect, test } from "@jest/globals";
import request from "supertest";
import { type Asked, failure } from "../../litellm/support.js";
import { bodyOf } from "../../support/stores.js";
import { testDimensions, testKey } from "../../support/settings.js";
import { eachTest, here, inputs, letTimePass, look, never, paragraphs, upload, work } from "./ingesting.js";

eachTest(here);

describe("a text on which the model fails", () => {
  const poison = "POISON";
  const failing = () => {
    here.proxy.answers.embeddings = (asked) =>
      inputs(asked).some((text) => text.includes(poison)) ? failure(500, "oops") : null;
  };

  test("ends its file after a few attempts, named, while other files and searches go on", async () => {
    failing();
    const texts = paragraphs(6);
    texts[4] = `${texts[4] ?? ""}${poison}`;
    const id = await upload(texts.join("\n\n"), { chunk_size: "200", chunk_overlap: "0" });
    const names = {
      code: "server_error",
      message: expect.stringMatching(/^chunk 4: .*'embed' fails.*HTTP 500/) as unknown,
    };
    // The first stores the chunks before it, which is progress; three more count.
    for (let attempt = 1; attempt <= 4; attempt += 1) {
      await letTimePass();
      await work();
      expect((await look(id)).status).toBe(attempt < 4 ? "in_progress" : "failed");
      await here.service.post(`/v1/vector_stores/${here.store}/search`, { query: `query ${attempt}` }).expect(200);
    }
    expect(await look(id)).toMatchObject({ chunks: 0, last_error: names });
    const other = await upload("Another document.");
    await work();
    expect(await look(other)).toMatchObject({ status: "completed" });
  });

  test("ends its file after as many attempts when such texts have opened the breaker", async () => {
    failing();
    const texts = paragraphs(40).map((text, i) => (i >= 4 && i % 4 === 0 ? `${text}${poison}` : text));
    const id = await upload(texts.join("\n\n"), { chunk_size: "200", chunk_overlap: "0" });
    // Another file's texts have failed as often as opens the breaker of ingestion.
    for (let n = 0; n < 6; n += 1) await upload(`${n}${poison}`);
    const seen: string[] = [];
    for (let attempt = 1; attempt <= 22; attempt += 1) {
      await letTimePass();
      await work();
      seen.push((await look(id)).status);
    }
    expect(seen).toContain("failed");
    expect(await look(id)).toMatchObject({ last_error: { message: expect.stringMatching(/^chunk 4: /) as unknown } });
  });

  test("a batch that fails as a whole is embedded in parts", async () => {
    here.proxy.answers.embeddings = (asked) => (inputs(asked).length > 2 ? failure(500, "oops") : null);
    const id = await upload(paragraphs(8).join("\n\n"), { chunk_size: "200", chunk_overlap: "0" });
    await work();
    expect(await look(id)).toMatchObject({ status: "completed", chunks: 8 });
  });

  test("an outage is waited for without end, and says why", async () => {
    here.proxy.answers.embeddings = () => failure(503, "starting");
    const id = await upload(paragraphs(3).join("\n\n"));
    for (let attempt = 0; attempt < 8; attempt += 1) {
      await letTimePass();
      await work();
      expect(await look(id)).toMatchObject({
        status: "in_progress",
        progress: { waiting_for: expect.stringMatching(/HTTP 503|failed several times/) as unknown },
      });
    }
    // The breaker of searches has seen nothing of it.
    expect(here.service.deps.litellm.state().breaker).toBe("closed");
  });
});

describe("a text that the model refuses", () => {
  const sentence = "The response was filtered due to the prompt triggering content management policy.";
  const refusing = (status: number, isRefused: (text: string) => boolean) => {
    here.proxy.answers.embeddings = (asked) =>
      inputs(asked).some(isRefused) ? failure(status, sentence, { code: "content_filter" }) : null;
  };
  const isBad = (text: string) => text.includes("BAD");

  test.each([400, 422])("%i ends its file at once, with the chunk and the provider's sentence", async (status) => {
    refusing(status, isBad);
    const texts = paragraphs(12);
    texts[9] = `${texts[9] ?? ""} BAD`;
    const id = await upload(texts.join("\n\n"), { chunk_size: "200", chunk_overlap: "0" });
    await work();
    expect(await look(id)).toMatchObject({
      status: "failed",
      chunks: 0,
      last_error: {
        code: "invalid_file",
        message: `chunk 9: The embedding model 'embed' refuses this text (HTTP ${status}): ${sentence}`,
      },
    });
  });

  test("is named in searches and rows", async () => {
    refusing(400, isBad);
    const rows = [{ content: "a" }, { content: "b" }, { content: "BAD" }, { content: "c" }];
    const problem = `The embedding model 'embed' refuses this text (HTTP 400): ${sentence}`;
    expect(
      await bodyOf(
        here.service.post(`/v1/vector_stores/${here.store}/embeddings/batch`, { embeddings: rows }).expect(400),
      ),
    ).toMatchObject({
      error: { param: "embeddings[2].content", code: "text_refused", message: `embeddings[2].content: ${problem}` },
    });
    expect(
      await bodyOf(here.service.post(`/v1/vector_stores/${here.store}/search`, { query: "BAD" }).expect(400)),
    ).toMatchObject({ error: { param: "query", message: `query: ${problem}` } });
  });

  test("if every text is, the file waits and says why, and fails after a day", async () => {
    refusing(400, () => true);
    const id = await upload(paragraphs(3).join("\n\n"));
    const why = expect.stringMatching(/refused the request for model 'embed' \(HTTP 400\): The response/) as unknown;
    for (let attempt = 0; attempt < 8; attempt += 1) {
      await letTimePass();
      await work();
      expect(await look(id)).toMatchObject({ status: "in_progress", last_error: null, progress: { waiting_for: why } });
    }
    here.service.advance(25 * 3_600_000);
    await letTimePass();
    await work();
    expect(await look(id)).toMatchObject({ status: "failed", last_error: { code: "server_error", message: why } });
  });

  test("if every text is, an upload that waits is told so, and nothing of it stays", async () => {
    refusing(400, () => true);
    here.service.deps.wakeIngestion = () => void work();
    const sent = await request(here.service.url)
      .post(`/v1/vector_stores/${here.store}/upload`)
      .set("authorization", `Bearer ${testKey}`)
      .attach("file", Buffer.from("A text."), "doc.txt")
      .expect(502);
    expect(sent.body).toMatchObject({ error: { message: expect.stringContaining(sentence) as unknown } });
    expect(await bodyOf(here.service.get(`/v1/vector_stores/${here.store}/files`).expect(200))).toMatchObject({
      data: [],
    });
  });
});

describe("a vector of zeros from the model", () => {
  const zeros = (asked: Asked) => ({
    json: {
      data: inputs(asked).map((text, index) => ({
        index,
        embedding: Array.from({ length: testDimensions }, () => (text.includes("nothing") ? 0 : 1)),
      })),
    },
  });

  test("is refused with the row, the query or the chunk named", async () => {
    here.proxy.answers.embeddings = zeros;
    const embeddings = [{ content: "a" }, { content: "nothing" }];
    expect(
      await bodyOf(here.service.post(`/v1/vector_stores/${here.store}/embeddings/batch`, { embeddings }).expect(502)),
    ).toMatchObject({ error: { param: "embeddings[1].content", message: expect.stringContaining("zero") as unknown } });
    expect(
      await bodyOf(here.service.post(`/v1/vector_stores/${here.store}/search`, { query: "nothing" }).expect(502)),
    ).toMatchObject({ error: { param: "query" } });
    const id = await upload("nothing at all");
    await work();
    expect(await look(id)).toMatchObject({
      status: "failed",
      last_error: { message: expect.stringMatching(/^chunk 0: .*zero/) as unknown },
    });
  });
});

describe("stopping", () => {
  test("lets the model call under way end, and stores its chunks", async () => {
    const id = await upload(paragraphs(12).join("\n\n"), { chunk_size: "200", chunk_overlap: "0" });
    const stopping = new AbortController();
    here.proxy.answers.embeddings = () => {
      stopping.abort(new Error("stopping"));
      return null;
    };
    const before = here.proxy.asked.length;
    await work(stopping.signal, never);
    expect(await look(id)).toMatchObject({ status: "in_progress", chunks: 4 });
    here.proxy.reset();
    await work();
    expect(await look(id)).toMatchObject({ status: "completed", chunks: 12 });
    const paid = here.proxy.asked
      .slice(before)
      .flatMap((asked) => (asked.path === "/v1/embeddings" ? inputs(asked) : []));
    expect(new Set(paid).size).toBe(paid.length);
  });
});
