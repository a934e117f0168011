import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import request from "supertest";
import { type TestService, startService } from "../support/service.js";
import { testKey } from "../support/settings.js";

/** A sender that has lost the answer to `complete` asks again, and gets what it would have got. */

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

const bearer = { authorization: `Bearer ${testKey}` };
const md5 = (text: string) => createHash("md5").update(text).digest("hex");

async function begin(...texts: string[]): Promise<{ id: string; partIds: string[] }> {
  const bytes = Buffer.byteLength(texts.join(""));
  const about = { filename: "a.txt", bytes, purpose: "assistants", mime_type: "text/plain" };
  const { id } = (await service.post("/v1/uploads", about).expect(200)).body as { id: string };
  const partIds: string[] = [];
  for (const text of texts) {
    const sent = request(service.url).post(`/v1/uploads/${id}/parts`).set(bearer);
    const part = await sent.attach("data", Buffer.from(text), "part").expect(200);
    partIds.push((part.body as { id: string }).id);
  }
  return { id, partIds };
}

const complete = (id: string, partIds: readonly string[], sum?: string) =>
  service.post(`/v1/uploads/${id}/complete`, { part_ids: partIds, ...(sum !== undefined && { md5: sum }) });
const fileIn = (answer: { body: unknown }) => (answer.body as { file: { id: string } }).file.id;
const countFiles = async () => {
  const [counted] = await service.database.query<{ files: number }>(
    "SELECT count(*)::int AS files FROM vector_store_file_objects",
  );
  return counted?.files;
};

describe("an upload that is completed again", () => {
  test("answers the same upload and file, and makes no other", async () => {
    const { id, partIds } = await begin("hello ", "world");
    const first = await complete(id, partIds, md5("hello world")).expect(200);
    const before = await countFiles();
    for (const sum of [undefined, md5("hello world"), md5("hello world").toUpperCase()]) {
      const again = await complete(id, partIds, sum).expect(200);
      expect(again.body).toEqual(first.body);
    }
    expect(await countFiles()).toBe(before);
    const wrong = await complete(id, partIds, md5("world hello"));
    expect([wrong.status, wrong.body]).toMatchObject([400, { error: { param: "md5" } }]);
  });

  test("at the same time, too: all get the one file", async () => {
    const { id, partIds } = await begin("a".repeat(200_000), "b".repeat(200_000));
    const before = (await countFiles()) ?? 0;
    const answers = await Promise.all([1, 2, 3].map(() => complete(id, partIds)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(new Set(answers.map(fileIn)).size).toBe(1);
    expect(await countFiles()).toBe(before + 1);
    const kept = await request(service.url)
      .get(`/v1/files/${fileIn(await complete(id, partIds))}/content`)
      .set(bearer);
    expect(
      createHash("md5")
        .update(kept.body as Buffer)
        .digest("hex"),
    ).toBe(md5("a".repeat(200_000) + "b".repeat(200_000)));
  });

  test("is refused once its file was deleted, and so is one that was cancelled", async () => {
    const { id, partIds } = await begin("hello");
    const file = fileIn(await complete(id, partIds).expect(200));
    await service.delete(`/v1/files/${file}`).expect(200);
    const gone = await complete(id, partIds);
    expect([gone.status, gone.body]).toMatchObject([400, { error: { param: "upload_id", code: "upload_completed" } }]);
    const other = await begin("hello");
    await service.post(`/v1/uploads/${other.id}/cancel`).expect(200);
    const cancelled = await complete(other.id, other.partIds);
    expect([cancelled.status, cancelled.body]).toMatchObject([400, { error: { code: "upload_cancelled" } }]);
  });
});
