import { type Bounds, EngineError } from "./engine.js";

/** How every engine obeys the bounds of its calls. */

/** Whether the deadline has passed. */
export const isLate = ({ deadline }: Bounds): boolean => deadline !== undefined && deadline <= performance.now();

/** @throws the signal's reason; EngineError `away` after the deadline */
export function requireOpen(bounds: Bounds): void {
  bounds.signal?.throwIfAborted();
  if (isLate(bounds)) throw late();
}

/** Rejects as `requireOpen` throws as soon as the bounds end; the work may continue after that. */
export async function withinBounds<T>(bounds: Bounds, work: () => Promise<T>): Promise<T> {
  // A timer of 0 ms may lose the race against a quick answer.
  requireOpen(bounds);
  const { signal, deadline } = bounds;
  let timer: NodeJS.Timeout | undefined;
  let leave = (): void => undefined;
  const ended = new Promise<never>((_, reject) => {
    leave = () => {
      reject(signal?.reason as Error);
    };
    signal?.addEventListener("abort", leave, { once: true });
    if (deadline === undefined) return;
    timer = setTimeout(() => {
      reject(late());
    }, deadline - performance.now());
  });
  const running = work();
  // It may fail after its caller has left; without this, the rejection would be unhandled.
  running.catch(() => undefined);
  try {
    return await Promise.race([running, ended]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", leave);
  }
}

const late = () =>
  new EngineError("away", 503, "The database did not answer in time.", {
    code: "service_unavailable",
    retryAfterSeconds: 5,
  });
