import type { Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { setImmediate, setTimeout } from "node:timers/promises";

/** A server's connections, for a shutdown that loses no accepted request. */
export interface Connections {
  /**
   * From now on every answer closes its connection (`Connection: close`), so that clients with kept-alive connections
   * send their next request elsewhere. New connections are still accepted.
   */
  retire(): void;
  /**
   * Refuses new connections, closes idle ones, and resolves when all accepted requests have been answered. A connection
   * that was opened just before and has sent nothing gets `graceMs` milliseconds for its first request, which is
   * answered: its client cannot know that the server is leaving.
   */
  drain(graceMs: number): Promise<void>;
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
  let accepted = 0;
  /**
   * Accepts what waits in the backlog: when listening ends, the system resets it. Done when two turns of the event loop
   * bring no connection (the first may have looked before the last one came), or after a full backlog.
   */
  const acceptBacklog = async () => {
    for (let before = -1, turn = 0; before !== accepted && turn < 512; turn += 1) {
      before = accepted;
      await setImmediate();
      await setImmediate();
    }
  };
  server.on("connection", (socket) => {
    accepted += 1;
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
    async drain(graceMs) {
      this.retire();
      await acceptBacklog();
      const closed = new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
      });
      closeWithout(underWay, (socket) => socket.bytesRead > 0);
      await Promise.race([closed, setTimeout(graceMs, undefined, { ref: false })]);
      closeWithout(underWay, () => true);
      await closed;
    },
    cut() {
      const left = [...underWay.values()].reduce((sum, responses) => sum + responses.size, 0);
      server.closeAllConnections();
      return left;
    },
  };
}

/** Closes the connections without a request in progress that `which` names. */
function closeWithout(underWay: ReadonlyMap<Socket, ReadonlySet<ServerResponse>>, which: (socket: Socket) => boolean) {
  for (const [socket, responses] of underWay) if (responses.size === 0 && which(socket)) socket.destroy();
}
