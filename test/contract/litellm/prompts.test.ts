import { expect, test } from "@jest/globals";
import { providerCalls, proxy, sidecar } from "./support.js";

test("a model of NVIDIA NIM is told by the proxy what each text is for, though its name here says nothing", async () => {
  await expect(proxy.embeddings.create({ model: "asymmetric", input: "without a purpose" })).rejects.toMatchObject({
    status: 400,
  });
  const store = await sidecar.post<{ id: string; input_type: unknown; embedding_dimensions: number }>(
    "/vector_stores",
    {
      body: { name: "asymmetric", embedding_model: "asymmetric" },
    },
  );
  expect(store).toMatchObject({ input_type: { query: "query", document: "passage" }, embedding_dimensions: 3 });
  await sidecar.post(`/vector_stores/${store.id}/embeddings`, { body: { content: "a stored asymmetric text" } });
  const found = await sidecar.vectorStores.search(store.id, { query: "an asymmetric question" });
  expect(found.data).toHaveLength(1);
  expect((await providerCalls("asymmetric text")).map(({ said }) => said)).toEqual([
    "passage: a stored asymmetric text",
  ]);
  expect((await providerCalls("asymmetric question")).map(({ said }) => said)).toEqual([
    "query: an asymmetric question",
  ]);
});
