import { once } from "node:events";
import { type AddressInfo, type Socket, connect, createServer } from "node:net";

/** A way to another server that can be closed. */
export interface Relay {
  url: string;
  /** Breaks all connections, and refuses new ones. */
  close(): Promise<void>;
  /** Lets connections through again, at the same address. */
  open(): Promise<void>;
}

/** @param url of the server behind it */
export async function startRelay(url: string): Promise<Relay> {
  const { hostname, port } = new URL(url);
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket)).on("error", () => socket.destroy());
  };
  const server = createServer((incoming) => {
    const outgoing = connect(Number(port), hostname);
    for (const each of [incoming, outgoing]) keep(each);
    incoming.pipe(outgoing).pipe(incoming);
    incoming.once("close", () => outgoing.destroy());
    outgoing.once("close", () => incoming.destroy());
  });
  const listen = async (at: number) => {
    server.listen(at, "127.0.0.1");
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  };
  const own = await listen(0);
  return {
    url: `http://127.0.0.1:${own}`,
    close: async () => {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
    open: async () => {
      await listen(own);
    },
  };
}
