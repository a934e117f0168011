import { type AddressInfo, type Socket, connect, createServer } from "node:net";

/** The state of the connections through the proxy. */
type Mode =
  /** They work. */
  | "forward"
  /** Open connections are reset, and so are new ones. */
  | "refuse"
  /** As if the cable were cut: no answer, no error. Sent data arrives once the proxy forwards again. */
  | "blackHole";

/** A network to a server that can fail. */
export interface HalfOpenProxy {
  /** The server's URL through this proxy. */
  url: string;
  set(mode: Mode): void;
  /** Resets every open connection; new ones work. */
  cut(): void;
  /** A black hole for every open connection, for ever; new ones work. As after a failover to another machine. */
  freeze(): void;
  /** Number of connections so far. */
  connections(): number;
  /** Number of bytes that clients have sent so far. */
  received(): number;
  close(): Promise<void>;
}

/** @param target URL of the TCP server behind the proxy. */
export async function startHalfOpenProxy(target: string): Promise<HalfOpenProxy> {
  const to = new URL(target);
  const pairs = new Set<[Socket, Socket]>();
  let mode: Mode = "forward";
  let connections = 0;
  const clients: Socket[] = [];

  const frozen = new WeakSet<[Socket, Socket]>();
  const apply = (pair: [Socket, Socket]) => {
    const [near, far] = pair;
    const open = mode === "forward" && !frozen.has(pair);
    for (const [from, onto] of [
      [near, far],
      [far, near],
    ] as const) {
      // A second pipe would deliver every byte twice.
      from.unpipe(onto).pause();
      if (open) from.pipe(onto);
    }
  };
  const server = createServer((near) => {
    connections += 1;
    clients.push(near);
    near.on("error", () => undefined);
    if (mode === "refuse") {
      near.resetAndDestroy();
      return;
    }
    const far = connect(Number(to.port), to.hostname);
    const pair: [Socket, Socket] = [near, far];
    pairs.add(pair);
    far.on("error", () => undefined);
    for (const [one, other] of [pair, [far, near]] as const) {
      one.on("close", () => {
        pairs.delete(pair);
        other.destroy();
      });
    }
    apply(pair);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = new URL(target);
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;

  const cut = () => {
    for (const [near, far] of pairs) {
      near.resetAndDestroy();
      far.destroy();
    }
  };
  return {
    url: url.toString(),
    set: (next) => {
      mode = next;
      if (mode === "refuse") cut();
      else for (const pair of pairs) apply(pair);
    },
    cut,
    freeze: () => {
      for (const pair of pairs) {
        frozen.add(pair);
        apply(pair);
      }
    },
    connections: () => connections,
    received: () => clients.reduce((sum, { bytesRead }) => sum + bytesRead, 0),
    close: async () => {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
