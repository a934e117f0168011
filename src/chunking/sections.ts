import type { Block } from "../words/document.js";
import { borderBefore } from "./graphemes.js";

/** In characters. */
const longestPath = 200;

/** No format has more than nine levels of headings. */
const lowestLevel = 9;

/**
 * Follows the headings of a document. The returned function takes its blocks in order and gives the path of headings to
 * each, outermost first, joined by " > "; null above the first heading. The path of a heading ends with itself. Each
 * sheet or attachment begins without headings.
 */
export function followSections(): (block: Block) => string | null {
  let within: Block["place"] = {};
  let headings: { level: number; text: string }[] = [];
  let path: string | null = null;
  return (block) => {
    const { place } = block;
    if (place.attachment !== within.attachment || place.sheet !== within.sheet) {
      headings = [];
      path = null;
    }
    within = place;
    if (block.kind === "heading") {
      const level = Math.min(block.level, lowestLevel);
      headings = [...headings.filter((above) => above.level < level), { level, text: oneLine(block.text) }];
      path = pathOf(headings.map(({ text }) => text));
    }
    return path;
  };
}

/** Shortens a long path by its outermost headings, because the innermost say most. */
function pathOf(headings: readonly string[]): string {
  for (let i = 0; i < headings.length; i += 1) {
    const path = [...(i === 0 ? [] : ["…"]), ...headings.slice(i)].join(" > ");
    if (path.length <= longestPath) return path;
  }
  return headings.at(-1) ?? "";
}

function oneLine(heading: string): string {
  const text = heading
    .slice(0, 2 * longestPath)
    .replace(/\s+/g, " ")
    .trim();
  return text.length <= longestPath ? text : `${text.slice(0, borderBefore(text, 0, longestPath - 1))}…`;
}
