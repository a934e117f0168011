import { randomBytes, randomUUID } from "node:crypto";

/**
 * Time-ordered ids. 128 bits as in UUID version 7 (RFC 9562): 48 bits of milliseconds, then a counter that starts at
 * random in every millisecond and rises by one, then 62 random bits. Ids made by one process sort in the order they
 * were made, so B-trees grow at their right edge and a batch reads back in the order it was written.
 */
let lastMillis = 0;
let counter = 0;

/** @param now Unix milliseconds */
export function uuidV7(now: number = Date.now()): string {
  // A clock that steps back must not break the order.
  const millis = Math.max(now, lastMillis);
  if (millis === lastMillis && counter < 0xfff) {
    counter += 1;
  } else if (millis === lastMillis) {
    return uuidV7(millis + 1);
  } else {
    // Start low, so that a batch of thousands seldom runs over into the next millisecond.
    counter = randomBytes(1).readUInt8(0);
  }
  lastMillis = millis;
  const time = millis.toString(16).padStart(12, "0");
  const count = counter.toString(16).padStart(3, "0");
  const tail = randomUUID().slice(19); // variant bits and 62 random ones
  return `${time.slice(0, 8)}-${time.slice(8)}-7${count}-${tail}`;
}

export type Prefix = "vs_" | "emb_" | "file-" | "vsfb_" | "upload_" | "part_" | "key_" | "session_" | "audit_" | "use_";

/** `prefix` + 32 hexadecimal digits, e.g. `vs_019f…`: ordered by time, safe in a URL, and legal for every SDK. */
export function newId(prefix: Prefix, now: number = Date.now()): string {
  return prefix + uuidV7(now).replaceAll("-", "");
}

/** Unix milliseconds at which `newId` or `uuidV7` made this id; null for ids of any other form. */
export function idTimestamp(id: string): number | null {
  const hex = id.replace(/^[a-z]+[_-]/, "").replaceAll("-", "");
  return /^[0-9a-f]{12}7[0-9a-f]{19}$/.test(hex) ? Number.parseInt(hex.slice(0, 12), 16) : null;
}

let lastBigint = 0n;

/**
 * 63-bit time-ordered id for tables whose id column is a bigint without a sequence: 41 bits of milliseconds since 2024,
 * 22 bits of counter.
 */
export function bigintId(now: number = Date.now()): string {
  const epoch = 1_704_067_200_000; // 2024-01-01; 41 bits last until 2093
  const floor = (BigInt(now - epoch) << 22n) + BigInt(randomBytes(2).readUInt16BE(0));
  lastBigint = floor > lastBigint ? floor : lastBigint + 1n;
  return lastBigint.toString();
}
