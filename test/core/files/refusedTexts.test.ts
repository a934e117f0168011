import { describe, expect, test } from "@jest/globals";
import { startService } from "../../support/service.js";
import {
  attach,
  chunks,
  eachTest,
  here,
  inputs,
  letTimePass,
  look,
  paragraphs,
  refuseOver,
  tooLong,
  upload,
  words,
  work,
} from "./ingesting.js";

eachTest(here);

describe("a chunk that is longer than the model reads", () => {
  test("is cut at a border until it fits, and no word is lost", async () => {
    refuseOver(120);
    const long = `${"An unusually long sentence of many words. ".repeat(4)}The end.`;
    const texts = [...paragraphs(5), long, ...paragraphs(3)].map((text, i) => (i === 5 ? text : text.slice(0, 100)));
    const id = await upload(texts.join("\n\n"), { chunk_size: "180", chunk_overlap: "0" });
    await work();
    expect(await look(id)).toMatchObject({ status: "completed", last_error: null });
    const stored = await chunks(id);
    expect(stored.map(({ n }) => n)).toEqual(stored.map((_, i) => i));
    expect(Math.max(...stored.map(({ content }) => content.length))).toBeLessThanOrEqual(120);
    const joined = stored.map(({ content }) => content).join(" ");
    expect(joined.split(/\s+/)).toEqual(texts.join(" ").split(/\s+/));
    expect(here.service.deps.litellm.state().breaker).toBe("closed");
  });

  test("when all chunks are, the whole file is cut smaller", async () => {
    refuseOver(60);
    const id = await upload(words(300), { chunk_size: "400", chunk_overlap: "0" });
    await work();
    expect(await look(id)).toMatchObject({ status: "completed" });
    expect(Math.max(...(await chunks(id)).map(({ content }) => content.length))).toBeLessThanOrEqual(60);
  });

  test("keeps its number when ingestion continues after a crash", async () => {
    refuseOver(150);
    const texts = paragraphs(12).map((text, i) => (i === 2 ? text : text.slice(0, 100)));
    const id = await upload(texts.join("\n\n"), { chunk_size: "180", chunk_overlap: "0" });
    const ending = new AbortController();
    // The first four chunks take three requests that succeed; the fourth stores four more.
    let answered = 0;
    const usual = here.proxy.answers.embeddings;
    here.proxy.answers.embeddings = (asked) => {
      const answer = usual?.(asked) ?? null;
      if (answer === null && (answered += 1) === 5) ending.abort(new Error("killed"));
      return answer;
    };
    await work(ending.signal);
    const before = await chunks(id);
    expect(before.length).toBeGreaterThan(4);
    expect(before.length).toBeLessThan(13);
    here.proxy.reset(); // now the model reads everything
    await letTimePass();
    await work();
    expect(await look(id)).toMatchObject({ status: "completed" });
    const after = await chunks(id);
    expect(after.slice(0, before.length)).toEqual(before);
    expect(
      after
        .map(({ content }) => content)
        .join(" ")
        .split(/\s+/),
    ).toEqual(texts.join(" ").split(/\s+/));
  });

  test("and cannot be cut any more fails the file and is named", async () => {
    here.proxy.answers.embeddings = () => tooLong;
    const id = await upload(words(50), { chunk_size: "100", chunk_overlap: "0" });
    await work();
    expect(await look(id)).toMatchObject({
      status: "failed",
      chunks: 0,
      last_error: {
        message: expect.stringMatching(
          /^chunk \d+: The text is longer than the embedding model 'embed' accepts\.$/,
        ) as unknown,
      },
    });
  });
});

describe("the size of chunks", () => {
  /** Starts the service again, which remembers for a minute what it read when the store was created. */
  const restart = async () => {
    await here.service.stop();
    here.service = await startService({
      database: here.service.database,
      environment: { ...here.proxy.environment, EMBEDDING__BATCH_SIZE: "4" },
    });
    here.service.deps.wakeIngestion = () => undefined;
  };
  const info = async (most: number | null) => {
    here.proxy.answers.info = () => ({
      json: { data: [{ model_name: "embed", model_info: { mode: "embedding", max_input_tokens: most } }] },
    });
    await restart();
  };
  const sent = () => here.proxy.asked.filter(({ path }) => path === "/v1/embeddings").flatMap(inputs);

  test("is at most three quarters of what the model reads", async () => {
    await info(128);
    const id = await attach(words(600));
    await work();
    expect(await look(id)).toMatchObject({ status: "completed" });
    const { tokenCounter } = await import("../../../src/chunking/tokens.js");
    const counter = await tokenCounter();
    const sizes = sent().map((text) => counter.count(text));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(96);
    expect(Math.max(...sizes)).toBeGreaterThan(80);
  });

  test.each([null, 8191])("with a limit of %p stays as it was asked", async (most) => {
    await info(most);
    const id = await attach(words(600), {
      type: "static",
      static: { max_chunk_size_tokens: 200, chunk_overlap_tokens: 0 },
    });
    await work();
    const { tokenCounter } = await import("../../../src/chunking/tokens.js");
    const counter = await tokenCounter();
    expect(Math.max(...(await chunks(id)).map(({ content }) => counter.count(content)))).toBeGreaterThan(150);
  });

  test("does not change in the middle of a file, when the limit changes between two attempts", async () => {
    await info(128);
    const id = await attach(words(1500), {
      type: "static",
      static: { max_chunk_size_tokens: 400, chunk_overlap_tokens: 0 },
    });
    const ending = new AbortController();
    let answered = 0;
    here.proxy.answers.embeddings = () => {
      if ((answered += 1) === 2) ending.abort(new Error("killed"));
      return null;
    };
    await work(ending.signal);
    const before = await chunks(id);
    expect(before).toHaveLength(4);
    here.proxy.reset();
    await restart();
    await letTimePass();
    await work();
    const after = await chunks(id);
    expect(after.slice(0, 4)).toEqual(before);
    expect(
      after
        .map(({ content }) => content)
        .join(" ")
        .split(/\s+/),
    ).toEqual(words(1500).split(/\s+/));
  });
});
