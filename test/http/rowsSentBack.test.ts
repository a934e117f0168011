import { afterAll, beforeAll, expect, test } from "@jest/globals";
import request from "supertest";
import { testKey } from "../support/settings.js";
import { type TestService, startService } from "../support/service.js";
import { bodyOf, createStore, rowOf, rowsPath } from "../support/stores.js";

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(async () => {
  await service.close();
});

test("a row that is sent back as a list has answered it", async () => {
  const [from, to] = [await createStore(service), await createStore(service)];
  await service.post(rowsPath(from), rowOf(1)).expect(200);
  const listed = await bodyOf(service.get(`${rowsPath(from)}?include=embedding`).expect(200));
  const [row] = (listed as { data: object[] }).data;
  await service.post(`${rowsPath(from)}/batch`, { embeddings: [row] }).expect(200, /"duplicates":1/);
  const ownId = { id: undefined };
  await service.post(rowsPath(to), { ...row, ...ownId }).expect(200);
  const stream = await request(service.url)
    .post(`${rowsPath(to)}/batch`)
    .set("authorization", `Bearer ${testKey}`)
    .set("content-type", "application/x-ndjson")
    .send(`${JSON.stringify({ ...row, ...ownId })}\n`);
  expect(stream.text).toContain('"count":1');
});
