import type { Item, Placed, Result } from "../../src/cli/evaluation.js";

export const named = (text: string, grade = 1): Item => ({ kind: "name", text, grade });
export const files = (...names: string[]): Result[] => names.map((filename) => ({ filename, text: "" }));

/** Items with these grades, found at these ranks. */
export const placed = (...pairs: [grade: number, place: number | null][]): Placed[] =>
  pairs.map(([grade, place], i) => ({ item: named(`item ${i}`, grade), place }));
