import { type Bounds, EngineError } from "../../../src/engines/engine.js";

/** Runs one call of the memory engine within its bounds. The work may go on after they have ended. */
export async function within<T>(bounds: Bounds = {}, work: () => T | Promise<T>): Promise<T> {
  requireOpen(bounds);
  const { signal, deadline } = bounds;
  let timer: NodeJS.Timeout | undefined;
  let leave = (): void => undefined;
  const ended = new Promise<never>((_, reject) => {
    leave = () => {
      reject(signal?.reason as Error);
    };
    signal?.addEventListener("abort", leave);
    if (deadline !== undefined)
      timer = setTimeout(() => {
        reject(late());
      }, deadline - performance.now());
  });
  const running = Promise.resolve(work());
  // It may fail after its caller has left.
  running.catch(() => undefined);
  try {
    return await Promise.race([running, ended]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", leave);
  }
}

/** For work of several steps, before each. @throws the signal's reason; EngineError `away` after the deadline */
export function requireOpen({ signal, deadline }: Bounds = {}): void {
  signal?.throwIfAborted();
  if (deadline !== undefined && deadline <= performance.now()) throw late();
}

const late = () => new EngineError("away", 503, "The engine did not answer in time.");
