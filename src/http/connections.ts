import type { Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** A server's connections, for an end at which no accepted request is lost. */
export interface Connections {
  /**
   * From here on every answer is the last on its connection (`Connection: close`), so that clients who keep connections open go
   * elsewhere with their next request. New connections are still taken.
   */
  retire(): void;
  /** Refuses new connections, closes those without a request, and resolves when all accepted requests have been answered. */
  drain(): Promise<void>;
  /** Cuts off what is left. @returns how many requests that were */
  cut(): number;
}

/**
 * Knows which connections have a request under way. Node's own close() also waits for kept-alive connections after their last answer, and
 * for those that never sent a whole request.
 */
export function followConnections(server: Server): Connections {
  const underWay = new Map<Socket, Set<ServerResponse>>();
  let retired = false;
  server.on("connection", (socket) => {
    underWay.set(socket, new Set());
    socket.once("close", () => underWay.delete(socket));
  });
  // Before Express' listener: the header must be set when the answer begins.
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
