import { type AddressInfo, type Socket, createServer } from "node:net";

/** Speaks just enough of PostgreSQL's protocol to ask for a password and refuse it, or nothing at all. */
export interface FakePostgres {
  port: number;
  connections(): number;
  /** Resolves once a client has connected. */
  connected: Promise<void>;
  close(): Promise<void>;
}

/** A protocol message: type letter, length, content. */
function message(letter: string, content: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(letter);
  head.writeInt32BE(content.length + 4, 1);
  return Buffer.concat([head, content]);
}

export async function startFakePostgres(behaviour: "refuses the password" | "says nothing"): Promise<FakePostgres> {
  const sockets = new Set<Socket>();
  let connections = 0;
  let arrived: () => void = () => undefined;
  const connected = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  const cleartextPassword = message("R", Buffer.from([0, 0, 0, 3]));
  const refusal = message(
    "E",
    Buffer.from('SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed for user "someone"\0\0'),
  );
  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
    // Reading makes the connection's end visible.
    socket.resume();
    if (behaviour === "refuses the password") {
      socket.once("data", () => {
        socket.write(cleartextPassword);
        socket.once("data", () => socket.end(refusal));
      });
    }
    arrived();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    connected,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
