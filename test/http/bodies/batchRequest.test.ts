import { describe, expect, test } from "@jest/globals";
import type { Request } from "express";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { readBatchOf } from "./rows.js";

describe("the request with a batch", () => {
  const requestOf = (chunks: Buffer[], headers: Record<string, string> = {}) =>
    Object.assign(Readable.from(chunks, { objectMode: false }), {
      headers: { "content-type": "application/json", "transfer-encoding": "chunked", ...headers },
    }) as unknown as Request;
  const read = (req: Request, limit = 2 ** 24) => readBatchOf(req, limit);
  const rows = (count: number) =>
    `{"embeddings":[${Array(count).fill('{"content":"x","embedding":[0.25,-2]}').join(", ")}]}`;

  test("the event loop turns at least once per 128 KB, however large the parts", async () => {
    const many = Buffer.from(rows(50).padEnd(4 * 1024 * 1024, " "));
    let turns = 0;
    let running = true;
    const turn = () => {
      turns += 1;
      if (running) setImmediate(turn);
    };
    setImmediate(turn);
    await read(requestOf([many]));
    running = false;
    expect(turns).toBeGreaterThanOrEqual(32);
  });

  test("gzip", async () => {
    const compressed = gzipSync(rows(2));
    const headers = { "content-encoding": "gzip", "content-length": String(compressed.length) };
    const row = { id: null, content: "x", metadata: null, model: null, embedding: Float32Array.of(0.25, -2) };
    expect(await read(requestOf([compressed], headers))).toEqual({ embeddings: [row, row] });
  });

  test("a body beyond the limit, announced or not", async () => {
    const large = { status: 413, message: "The body is larger than 1 MB." };
    const megabyte = Buffer.alloc(1024 * 1024, " ");
    await expect(read(requestOf([megabyte, Buffer.from(" ")]), megabyte.length)).rejects.toMatchObject(large);
    const announced = requestOf([], { "content-length": String(megabyte.length + 1) });
    await expect(read(announced, megabyte.length)).rejects.toMatchObject(large);
  });

  test("another content type, and a body that breaks off", async () => {
    await expect(read(requestOf([], { "content-type": "text/plain" }))).rejects.toMatchObject({ status: 415 });
    const broken = requestOf([]);
    broken.destroy(new Error("aborted"));
    await expect(read(broken)).rejects.toMatchObject({ status: 400, message: /ended before its body/ });
  });
});
