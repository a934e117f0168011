import { type Bounds, EngineError, type FailureKind } from "../../../src/engines/engine.js";

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

/** Methods that answer from what they are given. */
const local = ["state"];

/** The same methods, which fail as `failing` says. */
export const orFailing = <T extends object>(target: T, failing: () => FailureKind | null): T =>
  Object.fromEntries(
    Object.entries(target).map(([name, value]: [string, unknown]) => {
      if (typeof value !== "function" || local.includes(name)) return [name, value];
      const method = (...given: unknown[]): unknown => {
        const kind = failing();
        return kind === null ? (Reflect.apply(value, target, given) as unknown) : Promise.reject(failed(kind));
      };
      return [name, method];
    }),
  ) as T;

const statuses: Record<FailureKind, number> = { away: 503, full: 503, refused: 400, gone: 409 };

const failed = (kind: FailureKind) => new EngineError(kind, statuses[kind], `The engine is to fail as '${kind}'.`);
