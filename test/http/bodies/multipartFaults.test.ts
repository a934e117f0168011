import { afterEach, describe, expect, test } from "@jest/globals";
import type { Request } from "express";
import { Readable } from "node:stream";
import { type FormFile, type Keeper, readForm } from "../../../src/http/bodies/multipart.js";
import { withResolvers } from "../../../src/process/withResolvers.js";
import { until } from "../../support/httpClient.js";
import { boundary, end, field, file, fileHead, type KeptFile, memoryKeeper, startFormServer } from "./formServer.js";

const allowed = { fileBytes: 100_000, files: 2 };
const megabyte = 2 ** 20;

let close = (): Promise<unknown> => Promise.resolve();
afterEach(() => close());
async function start(keeper: Keeper<KeptFile>) {
  const server = await startFormServer(allowed, keeper);
  close = server.close;
  return server;
}

describe("a sender that continues or waits is answered at once", () => {
  // The rest of the body never arrives; an answer that waits for it never comes.
  const promised = { "content-length": String(2 * megabyte) };
  const chunked = { "transfer-encoding": "chunked" };
  const large = "x".repeat(allowed.fileBytes + 1);
  const cases: [string, string, number][] = [
    ["a file that is too large", fileHead("x.txt") + large, 413],
    ["a file too many", file("x", "1") + file("y", "2") + fileHead("z") + "3", 400],
    ["a field too many", Array.from({ length: 101 }, (_, i) => field(`a${i}`, "")).join("") + fileHead("x"), 400],
    ["a field that cannot be stored", field("a", "\0") + fileHead("x") + "1", 400],
    ["a field that is too long", field("a", "x".repeat(megabyte + 1)) + fileHead("x") + "1", 400],
    ["a malformed header", `${file("x", "1")}--${boundary}\r\nno header\r\n\r\n`, 400],
  ];
  for (const framing of [promised, chunked]) {
    test.each(cases)(`${Object.keys(framing).join("")}: %s`, async (_, text, status) => {
      const { keeper, counts } = memoryKeeper();
      const server = await start(keeper);
      const { socket, answer } = await server.open(framing);
      socket.write(framing === chunked ? `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n` : text);
      expect((await answer).status).toBe(status);
      expect(counts.kept + counts.failed).toBe(counts.started);
      expect(counts.dropped).toBe(counts.kept);
      socket.destroy();
    });
  }

  test("if the first file cannot be kept, the second one, still arriving, is ended", async () => {
    const memory = memoryKeeper();
    const full = withResolvers<undefined>();
    let second: Promise<KeptFile> | undefined;
    const server = await start({
      ...memory.keeper,
      async keep(given) {
        if (given.filename === "second") return (second = memory.keeper.keep(given));
        await memory.keeper.keep(given);
        await full.promise;
        throw new Error("no space left");
      },
    });
    const { socket, answer } = await server.open(promised);
    socket.write(`${file("first", "1")}${fileHead("second")}abc`);
    await until("both files to arrive", () => (memory.counts.started === 2 && memory.counts.kept === 1 ? true : null));
    full.resolve(undefined);
    expect((await answer).status).toBe(500);
    await expect(second).rejects.toThrow("no space left");
    expect(memory.counts).toEqual({ started: 2, kept: 1, failed: 1, dropped: 0 });
    socket.destroy();
  });
});

describe("a sender that disconnects", () => {
  test("in the middle of its second file leaves neither file", async () => {
    const { keeper, counts } = memoryKeeper();
    const server = await start(keeper);
    const { socket, answer } = await server.open({ "content-length": String(megabyte) });
    answer.catch(() => undefined);
    socket.write(`${file("first", "1")}${fileHead("second")}abc`);
    await until("both files to arrive", () => (counts.started === 2 && counts.kept === 1 ? true : null));
    socket.resetAndDestroy();
    await until("the first file to be dropped", () => (counts.dropped === 1 ? true : null));
    expect(counts).toEqual({ started: 2, kept: 1, failed: 1, dropped: 1 });
  });

  test("before its form is read gets an answer instead of a wait", async () => {
    const req = Object.assign(new Readable({ read: () => undefined }), {
      headers: { "content-type": `multipart/form-data; boundary=${boundary}`, "transfer-encoding": "chunked" },
    });
    req.destroy();
    await new Promise((resolve) => req.once("close", resolve));
    const { keeper, counts } = memoryKeeper();
    await expect(readForm(req as unknown as Request, allowed, keeper)).rejects.toMatchObject({
      status: 400,
      message: "The request ended before its body was complete.",
    });
    expect(counts.started).toBe(0);
  });

  test("while a whole file is still being kept: the file is dropped as soon as it is kept", async () => {
    const memory = memoryKeeper();
    const slow = withResolvers<undefined>();
    const server = await start({
      ...memory.keeper,
      async keep(given) {
        const kept = await memory.keeper.keep(given);
        if (given.filename === "first") await slow.promise;
        return kept;
      },
    });
    const { socket, answer } = await server.open({ "content-length": String(megabyte) });
    answer.catch(() => undefined);
    socket.write(`${file("first", "1")}${fileHead("second")}abc`);
    await until("both files to arrive", () => (memory.counts.started === 2 && memory.counts.kept === 1 ? true : null));
    socket.resetAndDestroy();
    await until("the second file to fail", () => (memory.counts.failed === 1 ? true : null));
    expect(memory.counts.dropped).toBe(0);
    slow.resolve(undefined);
    await until("the first file to be dropped", () => (memory.counts.dropped === 1 ? true : null));
  });
});

test("a form is answered once its last file is kept, not before", async () => {
  const memory = memoryKeeper();
  const slow = withResolvers<undefined>();
  const server = await start({
    ...memory.keeper,
    async keep(given) {
      const kept = await memory.keeper.keep(given);
      await slow.promise;
      return kept;
    },
  });
  let answered = false;
  const sent = server.send([file("x", "1") + end]).finally(() => {
    answered = true;
  });
  await until("the file to arrive", () => (memory.counts.kept === 1 ? true : null));
  // Meanwhile, another request completes.
  expect((await server.send(["hello"])).status).toBe(400);
  expect(answered).toBe(false);
  slow.resolve(undefined);
  expect((await sent).body.files).toHaveLength(1);
});

test("a file is read no faster than its keeper consumes it", async () => {
  const portions = 800;
  const portion = Buffer.alloc(64 * 1024, "x");
  let taken = 0;
  const req = Object.assign(
    new Readable({
      read() {
        if (taken === 0) this.push(fileHead("x"));
        taken += 1;
        this.push(taken <= portions ? portion : `\r\n${end}`);
        if (taken > portions) this.push(null);
      },
    }),
    { headers: { "content-type": `multipart/form-data; boundary=${boundary}`, "transfer-encoding": "chunked" } },
  );
  const started = withResolvers<undefined>();
  const go = withResolvers<undefined>();
  const keeper = {
    async keep({ bytes }: FormFile) {
      started.resolve(undefined);
      await go.promise;
      let size = 0;
      for await (const part of bytes) size += part.length;
      return size;
    },
    drop: () => Promise.resolve(),
  };
  const form = readForm(req as unknown as Request, { fileBytes: 100 * megabyte, files: 1 }, keeper);
  await started.promise;
  // Only the streams' own turns move things here: once they stop, they stop for good.
  for (let seen = -1; seen !== taken;) {
    seen = taken;
    for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
  }
  expect(taken).toBeLessThan(10);
  go.resolve(undefined);
  expect((await form).files).toEqual([portions * portion.length]);
});

describe("a form that says two things", () => {
  test.each(["a", "a[b]", "__proto__"])("a field that comes twice is refused: %s", async (name) => {
    const server = await start(memoryKeeper().keeper);
    const { status, body } = await server.send([field(name, "1") + field("other", "1") + field(name, "1") + end]);
    expect(status).toBe(400);
    expect(body).toMatchObject({ error: { param: name, message: `${name}: given more than once in the form` } });
  });
});
