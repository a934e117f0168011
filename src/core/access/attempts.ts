import { isIPv6 } from "node:net";
import { LRUCache } from "lru-cache";
import { ApiError } from "../../words/errors.js";

/** Limits how often somebody tries keys. Each replica counts by itself. */
export interface Attempts {
  /**
   * Counts an attempt as failed until it is known better, so that a thousand at once are no way round.
   * @param address the client's
   * @throws ApiError 429 `too_many_attempts` after ten failed ones in a minute
   */
  begin(address: string | null): Attempt;
}

interface Attempt {
  /** It did not fail, or not because of the key. */
  forgive(): void;
  /** Whether a failure may still be written down: many addresses together must not fill the database. */
  worthNoting(): boolean;
}

const mostFailed = 10;
const mostNoted = 100;
const windowMs = 60_000;
const mostAddresses = 10_000;

interface Window {
  endsAt: number;
  failed: number;
}

export function createAttempts({ now }: { now: () => number }): Attempts {
  const windows = new LRUCache<string, Window>({ max: mostAddresses });
  let noted: Window = { endsAt: 0, failed: 0 };
  const current = (window: Window | undefined): Window =>
    window !== undefined && now() < window.endsAt ? window : { endsAt: now() + windowMs, failed: 0 };
  return {
    begin: (address) => {
      const client = address === null ? "" : networkOf(address);
      const window = current(windows.get(client));
      if (window.failed >= mostFailed) throw tooMany(window.endsAt - now());
      window.failed += 1;
      windows.set(client, window);
      return {
        forgive: () => {
          window.failed -= 1;
        },
        worthNoting: () => {
          noted = current(noted);
          noted.failed += 1;
          return noted.failed <= mostNoted;
        },
      };
    },
  };
}

/** One client has 2^64 addresses of IPv6, which are counted as one. */
export function networkOf(address: string): string {
  const plain = address.replace(/%.*$/, "");
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(plain)) return plain;
  const [before = [], after = []] = plain.split("::").map((part) => part.split(":").filter((group) => group !== ""));
  const missing = Array.from({ length: 8 - before.length - after.length }, () => "0");
  return [...before, ...missing, ...after]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":");
}

const tooMany = (waitMs: number) =>
  new ApiError(429, `More than ${mostFailed} attempts to sign in have failed within a minute. Try again later.`, {
    type: "rate_limit_error",
    code: "too_many_attempts",
    retryAfterSeconds: Math.max(1, waitMs / 1000),
  });
