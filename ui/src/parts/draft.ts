import { useState } from "react";

/**
 * What somebody has typed or chosen, until the address says something else (a search, back, a link). Unlike a `key`,
 * this leaves the focus where it is.
 */
export function useDraft<T>(shown: T): [T, (next: T) => void] {
  const of = JSON.stringify(shown);
  const [draft, setDraft] = useState({ of, value: shown });
  // Forgotten, so that coming back to an address shows what it says, not what was typed there.
  if (draft.of !== of) setDraft({ of, value: shown });
  return [
    draft.of === of ? draft.value : shown,
    (value) => {
      setDraft({ of, value });
    },
  ];
}
