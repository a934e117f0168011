import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { type RequestListener, createServer } from "node:http";
import { type AddressInfo, type Socket, connect } from "node:net";
import { text } from "node:stream/consumers";
import { type Connections, followConnections } from "../../src/http/connections.js";

/** Longer than any test: a grace that ends by itself fails its test. */
const endless = 2 ** 31 - 1;
const request = "GET / HTTP/1.1\r\nHost: here\r\n\r\n";

let connections: Connections;
let port: number;
let answer: RequestListener;
let server: ReturnType<typeof createServer>;
beforeEach(async () => {
  answer = (_, res) => res.end("answered");
  server = createServer((req, res) => {
    answer(req, res);
  });
  connections = followConnections(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  port = (server.address() as AddressInfo).port;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

async function open(): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  return socket;
}

const listening = () => server.listening;

test("connections opened just before the end are answered, and each answer closes its connection", async () => {
  const sockets = await Promise.all(Array.from({ length: 50 }, open));
  const drained = connections.drain(endless);
  while (listening()) await new Promise((resolve) => setImmediate(resolve));
  const answers = sockets.map((socket) => {
    socket.write(request);
    return text(socket);
  });
  for (const each of await Promise.all(answers)) {
    expect(each).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*answered/);
    expect(each).toMatch(/connection: close/i);
  }
  await drained;
});

test("a connection that stays silent is closed after its grace", async () => {
  const socket = await open();
  await connections.drain(1);
  expect(await text(socket)).toBe("");
});

test("an idle connection that was answered before is closed without a grace", async () => {
  const socket = await open();
  socket.write(request);
  await new Promise((resolve) => socket.once("data", resolve));
  await connections.drain(endless);
  expect(socket.read()).toBeNull();
});

test("a request in progress is answered after the grace", async () => {
  const held = new Promise<() => void>((resolve) => {
    answer = (_, res) => {
      resolve(() => res.end("late"));
    };
  });
  const socket = await open();
  socket.write(request);
  const finish = await held;
  const drained = connections.drain(1);
  while (listening()) await new Promise((resolve) => setImmediate(resolve));
  finish();
  expect(await text(socket)).toContain("late");
  await drained;
});
