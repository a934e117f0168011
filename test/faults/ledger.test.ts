import { describe, expect, test } from "@jest/globals";
import { type Ledger, createLedger } from "../../bench/faults/ledger.js";

const rows = (batch: string, count: number) =>
  Array.from({ length: count }, (_, i) => ({ key: `${batch}-${i}`, value: `content ${batch} ${i}` }));
const found = (...changes: { key: string; value: string }[]) => {
  const all = new Map<string, string[]>();
  for (const { key, value } of changes) all.set(key, [...(all.get(key) ?? []), value]);
  return all;
};
const faults = (ledger: Ledger, there: ReturnType<typeof found>) =>
  ledger.compare(there).map(({ fault, key }) => [fault, key]);

/** A ledger with three acknowledged rows, and those rows. */
function withRows() {
  const ledger = createLedger();
  const stored = rows("a", 3);
  ledger.begin([stored]).acknowledge();
  return { ledger, stored };
}

describe("what was acknowledged", () => {
  test("and is there as it was sent: nothing is wrong", () => {
    const { ledger, stored } = withRows();
    expect(faults(ledger, found(...stored))).toEqual([]);
    expect(ledger.size()).toBe(3);
  });

  test.each([
    ["a lost row", (stored: ReturnType<typeof rows>) => stored.slice(1), [["lost", "a-0"]]],
    ["a lost batch", () => [], ["a-0", "a-1", "a-2"].map((key) => ["lost", key])],
    ["a doubled row", (stored: ReturnType<typeof rows>) => [...stored, ...stored.slice(2)], [["doubled", "a-2"]]],
    [
      "another content",
      (stored: ReturnType<typeof rows>) => stored.map((row) => (row.key === "a-1" ? { ...row, value: "?" } : row)),
      [["changed", "a-1"]],
    ],
    [
      "a row that nobody sent",
      (stored: ReturnType<typeof rows>) => [...stored, { key: "z", value: "" }],
      [["unknown", "z"]],
    ],
  ])("%s is found", (_what, change, expected) => {
    const { ledger, stored } = withRows();
    expect(faults(ledger, found(...change(stored)))).toEqual(expected);
  });

  test("a deleted row that is there again is found", () => {
    const { ledger, stored } = withRows();
    ledger.begin([[{ key: "a-0", value: null }]]).acknowledge();
    expect(faults(ledger, found(...stored))).toEqual([["returned", "a-0"]]);
  });

  test("a fault is told once, not at every comparison", () => {
    const { ledger, stored } = withRows();
    expect(faults(ledger, found(...stored.slice(1)))).toEqual([["lost", "a-0"]]);
    expect(faults(ledger, found(...stored.slice(1)))).toEqual([]);
  });
});

describe("what had no answer", () => {
  test.each([
    ["wholly", 4, []],
    ["not at all", 0, []],
    ["in half", 2, [["halved", "b-0"]]],
    ["but for one row", 3, [["halved", "b-0"]]],
  ])("may be there wholly or not at all: %s", (_what, there, expected) => {
    const { ledger, stored } = withRows();
    const sent = rows("b", 4);
    ledger.begin([sent]).abandon();
    expect(faults(ledger, found(...stored, ...sent.slice(0, there)))).toEqual(expected);
  });

  test("once found it must stay, and once missing it must stay away", () => {
    const { ledger, stored } = withRows();
    const [b, c] = [rows("b", 2), rows("c", 2)];
    ledger.begin([b]).abandon();
    ledger.begin([c]).abandon();
    expect(faults(ledger, found(...stored, ...b))).toEqual([]);
    expect(ledger.fates()).toEqual({ whole: 1, part: 0, none: 1 });
    expect(faults(ledger, found(...stored, ...c))).toEqual([
      ["unknown", "c-0"],
      ["unknown", "c-1"],
      ["lost", "b-0"],
      ["lost", "b-1"],
    ]);
  });

  test("a deletion may have deleted all or nothing", () => {
    for (const [left, expected] of [
      [[], []],
      [rows("a", 3), []],
      [rows("a", 1), [["halved", "a-0"]]],
    ] as const) {
      const { ledger } = withRows();
      ledger.begin([rows("a", 3).map(({ key }) => ({ key, value: null }))]).abandon();
      expect(faults(ledger, found(...left))).toEqual(expected);
    }
  });

  test("portions may be there up to any of them, but none without those before it", () => {
    const portions = [rows("p", 2), rows("q", 2), rows("r", 2)];
    for (const [there, expected] of [
      [portions.slice(0, 2), []],
      [
        portions.slice(1),
        [
          ["halved", "q-0"],
          ["halved", "r-0"],
        ],
      ],
    ] as const) {
      const ledger = createLedger();
      ledger.begin(portions).abandon();
      expect(faults(ledger, found(...there.flat()))).toEqual(expected);
    }
  });

  test("portions that were acknowledged before the connection broke are certain", () => {
    const ledger = createLedger();
    const portions = [rows("p", 2), rows("q", 2)];
    const flight = ledger.begin(portions);
    flight.acknowledge(1);
    flight.abandon();
    expect(faults(ledger, found())).toEqual([
      ["lost", "p-0"],
      ["lost", "p-1"],
    ]);
  });
});

test("two requests that change the same key at once are a mistake of the campaign", () => {
  const ledger = createLedger();
  ledger.begin([rows("a", 1)]);
  expect(() => ledger.begin([rows("a", 1)])).toThrow("two requests change a-0");
  expect(() => ledger.compare(found())).toThrow("under way");
});
