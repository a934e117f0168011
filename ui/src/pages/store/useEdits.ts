import { useState } from "react";

/**
 * The fields of a form over what is stored. What others save meanwhile shows in the fields that were left alone, and
 * is not written over.
 */
export function useEdits<T extends Record<string, string>>(stored: T) {
  const [edits, setEdits] = useState<Partial<T>>({});
  const values: T = { ...stored, ...edits };
  const differing = (next: T, from: Partial<T>): Partial<T> =>
    Object.fromEntries(Object.entries(next).filter(([name, value]) => value !== from[name])) as Partial<T>;
  return {
    values,
    set: (next: T) => {
      setEdits(differing(next, stored));
    },
    changed: new Set<keyof T>(Object.keys(differing(values, stored))),
    /** After they were saved; what was typed since then stays. */
    forget: (saved: T) => {
      setEdits((now) => differing({ ...saved, ...now }, saved));
    },
  };
}
