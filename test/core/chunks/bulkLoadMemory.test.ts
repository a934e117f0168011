import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { call } from "../../support/httpClient.js";
import { measurable, peakMegabytes } from "../../support/memory.js";
import { createServerData, type ServerData } from "../../support/serverData.js";
import { compileProgram, type Program } from "../../support/serverProcess.js";
import { testVector } from "../../support/vectors.js";
import { batchPath } from "../../support/stores.js";
import { openUpload } from "../../support/upload.js";

let program: Program;
let data: ServerData;
beforeAll(async () => {
  program = await compileProgram();
  data = await createServerData();
});
afterAll(async () => {
  await program.remove();
  await data.remove();
});

(measurable ? test : test.skip)("memory does not grow with an upload: 180 MB need no more than 20 MB", async () => {
  const dimensions = 1536;
  const server = await program.start({ ...data.environment, EMBEDDING__DIMENSIONS: String(dimensions) });
  const created = await call<{ id: string }>(server.url, "POST", "/v1/vector_stores", { name: "large" });
  const embeddings = Array.from({ length: 20 }, (_, i) => JSON.stringify(testVector(i + 1, dimensions)));
  const send = async (megabytes: number) => {
    const open = openUpload(server.url, batchPath(created.body.id));
    let rows = 0;
    for (let bytes = 0; bytes < megabytes * 1024 * 1024; rows += 1) {
      const line = `{"content": "row ${String(rows)}", "embedding": ${embeddings[rows % 20] ?? ""}}\n`;
      bytes += line.length;
      await open.write(line);
    }
    open.end();
    expect((await open.lines).at(-1)).toMatchObject({ object: "embedding.batch", count: rows });
  };
  await send(20);
  const before = peakMegabytes(server.child.pid);
  await send(180);
  // If held as a whole, the text alone would take 180 MB, and several times that once parsed.
  expect(peakMegabytes(server.child.pid) - before).toBeLessThan(120);
});
