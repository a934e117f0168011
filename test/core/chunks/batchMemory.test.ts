import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { request } from "node:http";
import { testKey } from "../../support/settings.js";
import { testVector } from "../../support/vectors.js";
import { call } from "../../support/httpClient.js";
import { measurable, peakMegabytes } from "../../support/memory.js";
import { createServerData, type ServerData } from "../../support/serverData.js";
import { compileProgram, type Program } from "../../support/serverProcess.js";
import { batchPath } from "../../support/stores.js";

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

(measurable ? test : test.skip)("a batch of 180 MB whose last row is wrong is not held in memory as text", async () => {
  const dimensions = 1536;
  const server = await program.start({ ...data.environment, EMBEDDING__DIMENSIONS: String(dimensions) });
  const created = await call<{ id: string }>(server.url, "POST", "/v1/vector_stores", { name: "large" });
  const row = JSON.stringify({ content: "row", embedding: testVector(1, dimensions) });

  const send = (megabytes: number) =>
    new Promise<string>((resolve, reject) => {
      const sent = request(server.url + batchPath(created.body.id), {
        method: "POST",
        agent: false,
        headers: { authorization: `Bearer ${testKey}`, "content-type": "application/json" },
      });
      sent.on("error", reject).on("response", (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part: string) => (text += part));
        response.on("end", () => {
          resolve(text);
        });
      });
      let left = Math.ceil((megabytes * 1024 * 1024) / row.length);
      const write = () => {
        while (left > 0) {
          left -= 1;
          if (!sent.write(`${row},`)) return void sent.once("drain", write);
        }
        sent.end('{"content":""}]}');
      };
      sent.write('{"embeddings":[');
      write();
    });

  expect(await send(20)).toContain("content: must not be empty");
  const before = peakMegabytes(server.child.pid);
  expect(await send(180)).toContain("content: must not be empty");
  // Its text alone is 180 MB, and used to be held twice; its vectors take 6 KB of each row's 30.
  expect(peakMegabytes(server.child.pid) - before).toBeLessThan(120);
});
