import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import request from "supertest";
import { ingestNext } from "../../../src/core/files/ingest.js";
import { unavailable } from "../../../src/words/errors.js";
import { hashTexts } from "../../../src/litellm/hashingEmbedder.js";
import { testDimensions, testKey } from "../../support/settings.js";
import { type TestService, startService } from "../../support/service.js";
import { createStore, searchStore, stubLitellm } from "../../support/stores.js";

/** The texts sent to the model, in batches of at most three. */
let asked: string[][];
let answer: (texts: readonly string[]) => Promise<Float32Array[]>;
let service: TestService;
let store: string;
const never = new AbortController().signal;

beforeEach(async () => {
  asked = [];
  answer = (texts) => hashTexts(texts, testDimensions);
  const embed = (texts: readonly string[]) => {
    asked.push([...texts]);
    return answer(texts);
  };
  service = await startService({ litellm: stubLitellm({ embed }), environment: { EMBEDDING__BATCH_SIZE: "3" } });
  // These tests call the worker's functions themselves.
  service.deps.wakeIngestion = () => undefined;
  store = await createStore(service);
});
afterEach(() => service.close());

/** Ten paragraphs of different words, each a chunk. */
const paragraphs = Array.from({ length: 10 }, (_, i) =>
  `Paragraph number ${i} is about subject${i}. `.repeat(4).trim(),
);
const text = paragraphs.join("\n\n");

async function put(content = text, name = "doc.txt", fields: Record<string, string> = {}): Promise<string> {
  const sent = request(service.url)
    .post(`/v1/vector_stores/${store}/upload`)
    .set("authorization", `Bearer ${testKey}`)
    .set("prefer", "respond-async")
    .field("chunk_size", "200")
    .field("chunk_overlap", "0");
  for (const [field, value] of Object.entries(fields)) void sent.field(field, value);
  const answered = await sent.attach("file", Buffer.from(content), name).expect(202);
  return (answered.body as { id: string }).id;
}
interface Seen {
  status: string;
  chunks: number;
  progress: { stage: string; waiting_for?: string };
  last_error: { message: string } | null;
  same_as?: string;
}
const look = async (id: string) =>
  (await service.get(`/v1/vector_stores/${store}/files/${id}`).expect(200)).body as Seen;
const found = async (query: string) =>
  (
    (await service.post(`/v1/vector_stores/${store}/search`, { query, max_num_results: 50 }).expect(200)).body as {
      data: object[];
    }
  ).data.length;
const rows = async () =>
  (await service.database.query<{ n: number }>("SELECT count(*)::int AS n FROM embeddings"))[0]?.n ?? 0;
const work = (lease = "worker") => ingestNext(service.deps, lease, never);
/** As if time had passed: the worker counts as dead, and waiting files are due. */
const letTimePass = () =>
  service.database.exec("UPDATE vector_store_files SET lease_until = now() - interval '1 s', run_after = now()");
const failAt = (call: number, error: Error) => {
  const usual = answer;
  answer = (texts) => (asked.length === call ? Promise.reject(error) : usual(texts));
};

describe("ingestion", () => {
  test("none of a file's chunks is found before all are stored", async () => {
    const id = await put();
    let during = -1;
    const usual = answer;
    answer = async (texts) => {
      if (asked.length === 3) {
        during = await found("subject1");
        expect(await rows()).toBe(6);
        expect(await look(id)).toMatchObject({ status: "in_progress", chunks: 6, progress: { stage: "embedding" } });
        const list = await service.get(`/v1/vector_stores/${store}/embeddings`).expect(200);
        expect((list.body as { data: object[] }).data).toEqual([]);
        const keyword = await service.post(`/v1/vector_stores/${store}/search`, {
          query: "subject1",
          ranking_options: { search_mode: "keyword" },
        });
        expect((keyword.body as { data: object[] }).data).toEqual([]);
      }
      return usual(texts);
    };
    expect(await work()).toBe(true);
    expect(during).toBe(0);
    expect(await look(id)).toMatchObject({ status: "completed", chunks: 10 });
    expect(await found("subject1")).toBe(10);
    expect(asked.map((texts) => texts.length)).toEqual([3, 3, 3, 1]);
    expect(await work()).toBe(false);
  });

  test("an unreachable provider is waited for, and finished batches are not requested again", async () => {
    const id = await put();
    failAt(3, unavailable("The embedding provider cannot be reached at the moment."));
    await work();
    expect(await look(id)).toMatchObject({
      status: "in_progress",
      last_error: null,
      progress: { waiting_for: "The embedding provider cannot be reached at the moment." },
    });
    expect(await work()).toBe(false);
    await letTimePass();
    await work();
    expect(await look(id)).toMatchObject({ status: "completed", chunks: 10 });
    // Only the third batch was requested twice.
    expect(asked.map((texts) => texts[0]?.trim())).toEqual([0, 3, 6, 6, 9].map((i) => paragraphs[i]));
  });

  test("after a crash another process continues after the last stored chunk", async () => {
    const id = await put();
    let crashed: () => void = () => undefined;
    const atThird = new Promise<void>((resolve) => {
      crashed = resolve;
    });
    let goOn: () => void = () => undefined;
    const usual = answer;
    answer = async (texts) => {
      if (asked.length === 3) {
        crashed();
        await new Promise<void>((resolve) => {
          goOn = resolve;
        });
      }
      return usual(texts);
    };
    const dead = work("dead");
    await atThird;
    await letTimePass();
    expect(await work("alive")).toBe(true);
    expect(await look(id)).toMatchObject({ status: "completed", chunks: 10 });
    // A late write changes nothing.
    goOn();
    await dead;
    expect(await look(id)).toMatchObject({ status: "completed", chunks: 10 });
    expect(await rows()).toBe(10);
    expect(asked).toHaveLength(5);
  });

  test("a file that is detached or cancelled, or whose store is deleted, while it is read leaves nothing", async () => {
    const whileReading = async (act: (id: string) => Promise<unknown>) => {
      const id = await put();
      const from = asked.length;
      const usual = answer;
      answer = async (texts) => {
        if (asked.length === from + 2) await act(id);
        return usual(texts);
      };
      await work();
      answer = usual;
      expect(await rows()).toBe(0);
    };
    await whileReading((id) => service.delete(`/v1/vector_stores/${store}/files/${id}`).expect(200));
    await whileReading((id) => service.delete(`/v1/files/${id}`).expect(200));
    await whileReading(() => service.delete(`/v1/vector_stores/${store}`).expect(200));
    expect(await work()).toBe(false);
  });

  test("the same content is ingested once; files that share its chunks keep them when the first is removed", async () => {
    const first = await put();
    const second = await put();
    await work();
    await work();
    expect(asked).toHaveLength(4);
    expect(await look(second)).toMatchObject({ status: "completed", chunks: 0, same_as: first });
    await service.delete(`/v1/vector_stores/${store}/files/${first}`).expect(200);
    const now = await look(second);
    expect(now).toMatchObject({ status: "completed", chunks: 10 });
    expect(now.same_as).toBeUndefined();
    expect(await found("subject1")).toBe(10);
    await service.delete(`/v1/vector_stores/${store}/files/${second}`).expect(200);
    expect(await rows()).toBe(0);
  });

  test("a new version replaces the old one at once", async () => {
    const old = await put();
    await work();
    const changed = await put(text.replaceAll("subject", "topic"), "doc.txt", { replace: "true" });
    const usual = answer;
    answer = async (texts) => {
      expect((await look(old)).status).toBe("completed");
      expect(await found("subject1")).toBe(10);
      return usual(texts);
    };
    await work();
    expect(await look(changed)).toMatchObject({ status: "completed", chunks: 10 });
    await service.get(`/v1/vector_stores/${store}/files/${old}`).expect(404);
    expect(await rows()).toBe(10);
  });

  test("a new version replaces all files of its name, including those that shared chunks", async () => {
    const [first, second] = [await put(), await put()];
    await work();
    await work();
    expect(await look(second)).toMatchObject({ chunks: 0, same_as: first });
    const changed = await put(text.replaceAll("subject", "topic"), "doc.txt", { replace: "true" });
    await work();
    expect(await look(changed)).toMatchObject({ status: "completed", chunks: 10 });
    for (const gone of [first, second]) await service.get(`/v1/vector_stores/${store}/files/${gone}`).expect(404);
    expect(await rows()).toBe(10);
    expect(
      (await searchStore(service, store, "subject1", { max_num_results: 50 })).map((each) => each.content[0]?.text),
    ).toEqual(expect.not.arrayContaining([expect.stringContaining("subject")]));
  });

  test("a text that the model refuses fails the file with the reason and leaves nothing; attaching it again retries", async () => {
    const id = await put();
    const { invalid } = await import("../../../src/words/errors.js");
    failAt(2, invalid("input", "A text is longer than the embedding model accepts."));
    await work();
    expect(await look(id)).toMatchObject({
      status: "failed",
      chunks: 0,
      last_error: { code: "server_error", message: "input: A text is longer than the embedding model accepts." },
    });
    expect(await rows()).toBe(0);
    service.deps.wakeIngestion = () => void work();
    const again = await service.post(`/v1/vector_stores/${store}/files`, { file_id: id }).expect(200);
    expect(again.body).toMatchObject({ id, last_error: null });
  });

  test("stores take turns: one with many files does not block another", async () => {
    const busy = store;
    for (const n of [1, 2, 3]) await put(`busy ${n}`, `busy${n}.txt`);
    store = await createStore(service);
    const id = await put("other", "other.txt");
    await work();
    await work();
    expect((await look(id)).status).toBe("completed");
    store = busy;
  });

  test("a stopping service returns its file to the queue at once", async () => {
    const id = await put();
    const stopping = new AbortController();
    const usual = answer;
    answer = (texts) => {
      if (asked.length === 2) stopping.abort(new Error("stopping"));
      return usual(texts);
    };
    await ingestNext(service.deps, "first", stopping.signal);
    expect(await look(id)).toMatchObject({ status: "in_progress", chunks: 3 });
    await work("second");
    expect(await look(id)).toMatchObject({ status: "completed", chunks: 10 });
    expect(asked).toHaveLength(5);
  });
});
