import { describe, expect, test } from "@jest/globals";
import { toFile } from "openai";
import sharp from "sharp";
import { type Page, failure, proxy, search, sidecar, storeIds } from "./support.js";

const handbook = [
  "# Holidays",
  "Every employee has thirty days of paid leave a year.",
  "# Travel",
  "Trains are booked in second class, by the office.",
].join("\n\n");

interface Ingested {
  status: string;
  vector_store_id: string;
  file_id: string;
}

/** LiteLLM's own ingestion, as documented: a form with the file, and the rest as JSON in `request`. */
async function ingest(text: string, name: string, vectorStore: object): Promise<Ingested> {
  const form = new FormData();
  form.set("file", new Blob([text], { type: "text/markdown" }), name);
  form.set("request", JSON.stringify({ ingest_options: { name: "By LiteLLM", vector_store: vectorStore } }));
  const answer = await fetch(`${proxy.baseURL}/rag/ingest`, {
    method: "POST",
    headers: { authorization: `Bearer ${proxy.apiKey}` },
    body: form,
  });
  expect({ status: answer.status, ok: answer.ok }).toEqual({ status: 200, ok: true });
  return (await answer.json()) as Ingested;
}

const searchable = (storeId: string, fileId: string) =>
  sidecar.vectorStores.files.poll(storeId, fileId, { pollIntervalMs: 50 });

describe("/v1/rag/ingest, with this server as provider `openai`", () => {
  test("into a store of the registry, which is then searched through LiteLLM", async () => {
    const { documents } = storeIds;
    const answer = await ingest(handbook, "handbook.md", { custom_llm_provider: "openai", vector_store_id: documents });
    expect(answer).toMatchObject({ status: "completed", vector_store_id: documents });
    expect(await searchable(documents, answer.file_id)).toMatchObject({ status: "completed", last_error: null });
    const page: Page = await search(documents, { query: "How much vacation do I get?", max_num_results: 1 });
    expect(page.data[0]?.content[0]?.text).toContain("thirty days of paid leave");
  });

  test("into a new store, with a credential of the proxy", async () => {
    const vectorStore = { custom_llm_provider: "openai", litellm_credential_name: "vector-store" };
    const answer = await ingest(handbook, "handbook.md", vectorStore);
    expect(answer.status).toBe("completed");
    const made = await sidecar.vectorStores.retrieve(answer.vector_store_id);
    expect(made).toMatchObject({ name: "By LiteLLM" });
    expect(await searchable(made.id, answer.file_id)).toMatchObject({ status: "completed" });
    expect(await sidecar.vectorStores.retrieve(made.id)).toMatchObject({ file_counts: { completed: 1, total: 1 } });
  });
});

describe("pictures, with a vision model of the proxy", () => {
  const picture = async () =>
    sharp({ create: { width: 200, height: 100, channels: 3, background: "red" } })
      .png()
      .toBuffer();
  const upload = async (storeId: string, fields: Record<string, string>) => {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    form.set("file", new Blob([new Uint8Array(await picture())], { type: "image/png" }), "cat.png");
    return sidecar.post<{ id: string; status: string }>(`/vector_stores/${storeId}/upload`, { body: form });
  };

  test("are found by the model's description", async () => {
    const { id } = await sidecar.vectorStores.create({ name: "pictures" });
    expect(await upload(id, { vision_model: "mock-vision" })).toMatchObject({ status: "completed" });
    const page = await sidecar.vectorStores.search(id, { query: "Which animal is shown?" });
    expect(page.data[0]).toMatchObject({
      filename: "cat.png",
      content: [{ text: expect.stringContaining("A picture of a cat.") }],
    });
  });

  test("fail with a model that the proxy lacks, and the answer names it", async () => {
    const { id } = await sidecar.vectorStores.create({ name: "pictures" });
    const { status, message } = await failure(upload(id, { vision_model: "no-such-model" }));
    expect(status).toBeLessThan(503);
    expect(message).toContain("no-such-model");
    expect((await sidecar.vectorStores.retrieve(id)).file_counts.total).toBe(0);
  });
});

test("OpenAI's helpers work with the proxy's embeddings", async () => {
  const { id } = await sidecar.vectorStores.create({ name: "helpers" });
  const batch = await sidecar.vectorStores.fileBatches.uploadAndPoll(
    id,
    { files: [await toFile(Buffer.from(handbook), "a.md"), await toFile(Buffer.from("Lunch is at noon."), "b.txt")] },
    { pollIntervalMs: 50 },
  );
  expect(batch).toMatchObject({ status: "completed", file_counts: { completed: 2, failed: 0 } });
  const page = await sidecar.vectorStores.search(id, { query: "When do we eat?", max_num_results: 1 });
  expect(page.data[0]?.filename).toBe("b.txt");
});
