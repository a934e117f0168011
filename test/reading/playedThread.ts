import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, type Server, type Socket, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { FromThread, ToThread } from "../../src/reading/messages.js";

/** A message to send, or another action: throw, exit, exhaust the memory, or fail with the environment as message. */
export type Order = FromThread | { kind: "throw" | "exit" | "grow" | "environment" };

/** A real worker thread that sends only the test's messages. */
export interface PlayedThread {
  /** The next message from the reader. */
  heard(): Promise<ToThread>;
  say(order: Order): void;
  /** Resolves when the thread has ended. */
  ended: Promise<void>;
}

export interface PlayedThreads {
  script: URL;
  /** Resolves to the next thread that starts. */
  next(): Promise<PlayedThread>;
  /** Number of started threads. */
  started(): number;
  close(): Promise<void>;
}

/** The thread relays messages in both directions over a connection that closes when the thread ends. */
const scriptAt = (port: number) => `
  import { connect } from "node:net";
  import { createInterface } from "node:readline";
  import { parentPort } from "node:worker_threads";
  const socket = connect(${port}, "127.0.0.1");
  parentPort.on("message", (message) => socket.write(JSON.stringify(message) + "\\n"));
  createInterface({ input: socket }).on("line", (line) => {
    const order = JSON.parse(line);
    if (order.kind === "throw") throw new Error("the parser has a fault");
    else if (order.kind === "exit") process.exit(3);
    else if (order.kind === "environment") throw new Error("environment: " + JSON.stringify(process.env));
    else if (order.kind === "grow") for (const all = []; ; ) all.push(new Array(10_000).fill(0.5));
    else parentPort.postMessage(order.kind === "describe" ? { ...order, image: new Uint8Array([1, 2]) } : order);
  });`;

export async function playThreads(): Promise<PlayedThreads> {
  const directory = mkdtempSync(join(tmpdir(), "vector-store-reading-"));
  const threads = queue<PlayedThread>();
  const sockets = new Set<Socket>();
  let started = 0;
  const server: Server = createServer((socket) => {
    started += 1;
    sockets.add(socket);
    threads.put(played(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const path = join(directory, "thread.mjs");
  writeFileSync(path, scriptAt((server.address() as AddressInfo).port));
  return {
    script: pathToFileURL(path),
    next: threads.take,
    started: () => started,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      rmSync(directory, { recursive: true });
    },
  };
}

function played(socket: Socket): PlayedThread {
  const messages = queue<ToThread>();
  let rest = "";
  socket.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) messages.put(JSON.parse(line) as ToThread);
  });
  // A thread that is killed resets its connection.
  socket.on("error", () => undefined);
  return {
    heard: messages.take,
    say: (order) => void socket.write(`${JSON.stringify(order)}\n`),
    ended: new Promise((resolve) => socket.once("close", resolve)),
  };
}

function queue<T>() {
  const values: T[] = [];
  const waiting: ((value: T) => void)[] = [];
  return {
    put: (value: T): void => {
      const next = waiting.shift();
      if (next === undefined) values.push(value);
      else next(value);
    },
    take: (): Promise<T> =>
      new Promise((resolve) => {
        const value = values.shift();
        if (value === undefined) waiting.push(resolve);
        else resolve(value);
      }),
  };
}
