import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { bigintId, idTimestamp, newId, uuidV7 } from "../../src/words/ids.js";

/** Ids follow the latest time used so far, so every test starts later than the previous one. */
let epoch = Date.parse("2030-01-01T00:00:00Z");
const later = () => (epoch += 86_400_000);

describe("ids", () => {
  test("are UUIDs of version 7 and variant 10", () => {
    for (let i = 0; i < 1000; i += 1) {
      expect(uuidV7()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    }
  });

  test("have 32 hexadecimal digits after a prefix, and no character that a URL would escape", () => {
    expect(newId("vs_")).toMatch(/^vs_[0-9a-f]{32}$/);
    expect(newId("emb_")).toMatch(/^emb_[0-9a-f]{32}$/);
  });

  test("20,000 created in one millisecond are unique and sort in order of creation", () => {
    const now = later();
    const ids = Array.from({ length: 20_000 }, () => newId("emb_", now));
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.toSorted()).toEqual(ids);
  });

  test("are ordered and unique even if the clock goes backwards", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -5000, max: 5000 }), { minLength: 2, maxLength: 200 }), (steps) => {
        const start = later();
        const ids = steps.map((step) => uuidV7(start + step));
        expect(ids.toSorted()).toEqual(ids);
        expect(new Set(ids).size).toBe(ids.length);
      }),
      { numRuns: 50 },
    );
  });

  test("contain their time of creation", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.constantFrom("vs_" as const, "emb_" as const),
        (ms, prefix) => {
          const now = later() + ms;
          expect(idTimestamp(newId(prefix, now))).toBe(now);
          expect(idTimestamp(uuidV7(now + 1))).toBe(now + 1);
          epoch = now;
        },
      ),
    );
  });

  test.each([
    "",
    "vs_",
    "abc",
    "09beee6f-ed62-47c6-a161-dea9018a5a40",
    "vs_019f00000000800000000000000000000",
    "vs_019F0000000070008000000000000000x",
    "12345678901234567890",
    "vs_019f0000000070008000000000000000'; --",
  ])("an id of another form has no time: %j", (id) => {
    expect(idTimestamp(id)).toBeNull();
  });
});

describe("bigint ids", () => {
  const largest = 2n ** 63n - 1n;

  test("increase strictly, whatever the clock does, and fit into a signed bigint until 2093", () => {
    const end = Date.parse("2093-01-01T00:00:00Z");
    fc.assert(
      fc.property(fc.array(fc.integer({ min: Date.parse("2024-01-02"), max: end }), { maxLength: 100 }), (moments) => {
        const ids = moments.map((moment) => BigInt(bigintId(moment)));
        ids.forEach((id, i) => {
          expect(id > (ids[i - 1] ?? 0n)).toBe(true);
          expect(id <= largest).toBe(true);
        });
      }),
    );
  });

  test("10,000 created in one millisecond are unique", () => {
    const ids = Array.from({ length: 10_000 }, () => bigintId(Date.now()));
    expect(new Set(ids).size).toBe(ids.length);
  });

  test("leave the small numbers to sequences", () => {
    expect(BigInt(bigintId(Date.now()))).toBeGreaterThan(10n ** 15n);
  });
});
