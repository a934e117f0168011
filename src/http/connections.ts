import type { Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** A server's connections, for a shutdown that loses no accepted request. */
export interface Connections {
  /**
   * From now on every answer closes its connection (`Connection: close`), so that clients with kept-alive connections
   * send their next request elsewhere. New connections are still accepted.
   */
  retire(): void;
  /** Refuses new connections, closes idle ones, and resolves when all accepted requests have been answered. */
  drain(): Promise<void>;
  /** Closes all remaining connections. @returns how many requests this cut off */
  cut(): number;
}

/**
 * Tracks which connections have a request in progress. Node's own close() would also wait for kept-alive connections
 * after their last answer, and for those that never sent a complete request.
 */
export function followConnections(server: Server): Connections {
  const underWay = new Map<Socket, Set<ServerResponse>>();
  let retired = false;
  server.on("connection", (socket) => {
    underWay.set(socket, new Set());
    socket.once("close", () => underWay.delete(socket));
  });
  // Before Express' listener: the header must be set before the answer begins.
  server.prependListener("request", ({ socket }, res) => {
    underWay.get(socket)?.add(res);
    if (retired) res.setHeader("connection", "close");
    res.once("close", () => underWay.get(socket)?.delete(res));
  });
  return {
    retire() {
      retired = true;
      for (const responses of underWay.values())
        for (const res of responses) if (!res.headersSent) res.setHeader("connection", "close");
    },
    drain: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        for (const [socket, responses] of underWay) if (responses.size === 0) socket.destroy();
      }),
    cut() {
      const left = [...underWay.values()].reduce((sum, responses) => sum + responses.size, 0);
      server.closeAllConnections();
      return left;
    },
  };
}
