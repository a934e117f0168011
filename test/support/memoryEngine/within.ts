import { withinBounds } from "../../../src/engines/bounds.js";
import { type Bounds, EngineError, type FailureKind } from "../../../src/engines/engine.js";

/** Runs one call of the memory engine within its bounds. */
export const within = <T>(bounds: Bounds = {}, work: () => T | Promise<T>): Promise<T> =>
  withinBounds(bounds, async () => work());

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
