/**
 * What a client may expect of a server that was killed. The client enters every request before it sends it and every
 * answer when it comes; after a restart the ledger compares what it knows with what the server has.
 */

/** What a request makes of one key: a text that stands for the new content, or null for nothing. */
export interface Change {
  key: string;
  value: string | null;
}

/** A request that was sent. */
interface Flight {
  /** The server said that these changes are stored. @param portions how many of them, from the first; default: all */
  acknowledge(portions?: number): void;
  /** The connection broke: what was not acknowledged may be there wholly or not at all. */
  abandon(): void;
}

/**
 * `lost`: acknowledged, and not there. `halved`: only some of what is stored at once is there. `doubled`: there twice.
 * `changed`: there with other content. `returned`: deleted with an acknowledgement, and there. `unknown`: never sent.
 */
type Fault = "lost" | "halved" | "doubled" | "changed" | "returned" | "unknown";

interface Violation {
  fault: Fault;
  key: string;
  detail: string;
}

/** What the server has, by key. More than one value: it has the key more than once. */
export type Found = ReadonlyMap<string, readonly string[]>;

export interface Ledger {
  /**
   * Enters a request.
   * @param portions each is stored at once or not at all, one after the other
   * @throws Error if another request that is under way has one of the keys: nobody could tell which one was stored
   */
  begin(portions: readonly (readonly Change[])[]): Flight;
  /** Compares; no request may be under way. Afterwards the ledger takes what was found for certain. */
  compare(found: Found): Violation[];
  /** Keys that are certainly there. */
  size(): number;
  /** Of requests without an answer: how many were found wholly, partly by whole portions, and not at all. */
  fates(): { whole: number; part: number; none: number };
}

interface Entry {
  portions: readonly (readonly Change[])[];
  acknowledged: number;
}

interface State {
  certain: Map<string, string>;
  deleted: Set<string>;
}

export function createLedger(): Ledger {
  const state: State = { certain: new Map(), deleted: new Set() };
  const underWay = new Set<string>();
  const open = new Set<Entry>();
  const fates = { whole: 0, part: 0, none: 0 };
  const close = (entry: Entry) => {
    for (const { key } of entry.portions.flat()) underWay.delete(key);
  };
  return {
    begin(portions) {
      const keys = portions.flat().map(({ key }) => key);
      const taken = keys.find((key) => underWay.has(key));
      if (taken !== undefined) throw new Error(`two requests change ${taken} at once`);
      for (const key of keys) underWay.add(key);
      const entry: Entry = { portions, acknowledged: 0 };
      return {
        acknowledge(count = portions.length) {
          settle(state, portions.slice(entry.acknowledged, count).flat());
          entry.acknowledged = Math.max(entry.acknowledged, count);
          if (entry.acknowledged === portions.length) close(entry);
        },
        abandon() {
          if (entry.acknowledged === portions.length) return;
          close(entry);
          open.add(entry);
        },
      };
    },
    compare(found) {
      if (underWay.size > 0) throw new Error("a request is under way");
      const violations: Violation[] = [];
      for (const entry of open) {
        const { applied, halved } = judge(state, entry, found);
        violations.push(...halved);
        fates[applied === entry.portions.length ? "whole" : applied > 0 ? "part" : "none"] += 1;
      }
      open.clear();
      return [...violations, ...compareCertain(state, found)];
    },
    size: () => state.certain.size,
    fates: () => ({ ...fates }),
  };
}

function settle({ certain, deleted }: State, changes: readonly Change[]): void {
  for (const { key, value } of changes) {
    if (value === null) {
      certain.delete(key);
      deleted.add(key);
    } else {
      certain.set(key, value);
      deleted.delete(key);
    }
  }
}

/** How many portions of a request without an answer are there, and which are there in part or out of turn. */
function judge(
  state: State,
  { portions, acknowledged }: Entry,
  found: Found,
): { applied: number; halved: Violation[] } {
  const halved: Violation[] = [];
  let applied = acknowledged;
  for (const [at, portion] of portions.entries()) {
    if (at < acknowledged) continue;
    const there = portion.filter(({ key, value }) => (found.get(key)?.[0] ?? null) === value);
    if (there.length === portion.length && applied === at) {
      settle(state, portion);
      applied += 1;
    } else if (there.length > 0) {
      const detail = `${there.length} of ${portion.length} changes of portion ${at + 1} of ${portions.length}, after ${applied} whole ones`;
      halved.push({ fault: "halved", key: portion[0]?.key ?? "", detail });
      settle(state, there);
    }
  }
  return { applied, halved };
}

/** Compares what is certain with what was found, and takes that for certain. */
function compareCertain(state: State, found: Found): Violation[] {
  const { certain, deleted } = state;
  const violations: Violation[] = [];
  for (const [key, values] of found) {
    const expected = certain.get(key);
    if (values.length > 1) violations.push({ fault: "doubled", key, detail: `${values.length} times` });
    if (expected === undefined) {
      violations.push({ fault: deleted.has(key) ? "returned" : "unknown", key, detail: values[0] ?? "" });
    } else if (values.some((value) => value !== expected)) {
      violations.push({ fault: "changed", key, detail: `expected ${expected}, found ${values.join(" and ")}` });
    }
    settle(state, [{ key, value: values[0] ?? "" }]);
  }
  for (const [key, value] of certain) {
    if (found.has(key)) continue;
    violations.push({ fault: "lost", key, detail: value });
    certain.delete(key);
  }
  return violations;
}
