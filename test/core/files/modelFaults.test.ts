import { describe, expect, test } from "@jest/globals";
import { type Asked, failure } from "../../litellm/support.js";
import { bodyOf } from "../../support/stores.js";
import { testDimensions } from "../../support/settings.js";
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
