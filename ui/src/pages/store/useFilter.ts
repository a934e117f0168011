import { useState } from "react";
import { type FilterDraft, draftOf, isReady, jsonIn } from "./filter.js";

export interface FilterState {
  draft: FilterDraft;
  set: (draft: FilterDraft) => void;
  /** How often it was to be sent although something of it is missing; 0: nothing is said of that yet. */
  refused: number;
  /** Whether it is what the address says. */
  isShown: boolean;
  /** As JSON, to be sent; null: something of it is missing, which the field then says. */
  ready: () => string | null;
}

/** A filter while somebody writes it, until the address says another one. */
export function useFilter(shown: string): FilterState {
  const [{ of, draft, refused }, setState] = useState({ of: shown, draft: draftOf(shown), refused: 0 });
  if (of !== shown) {
    // What was written as JSON stays so once it was sent.
    setState({ of: shown, draft: jsonIn(draft) === shown ? draft : draftOf(shown), refused: 0 });
  }
  return {
    draft,
    set: (next) => {
      setState({ of: shown, draft: next, refused: isLonger(next, draft) ? 0 : refused });
    },
    refused,
    isShown: isReady(draft) && jsonIn(draft) === jsonIn(draftOf(shown)),
    ready: () => {
      if (isReady(draft)) return jsonIn(draft);
      setState({ of: shown, draft, refused: refused + 1 });
      return null;
    },
  };
}

/** A condition that was just added lacks everything, of course. */
const isLonger = (next: FilterDraft, before: FilterDraft): boolean =>
  typeof next !== "string" && typeof before !== "string" && next.conditions.length > before.conditions.length;
