/** One thing that had to hold. */
export interface Check {
  what: string;
  /** The first things that contradict it; none: it holds. */
  contradictions: readonly string[];
}

/** What a part of the campaign found. */
export interface Outcome {
  /** Lines for the terminal. */
  figures: readonly string[];
  checks: readonly Check[];
}

/** @param problems everything found; a few are enough to begin with */
export const check = (what: string, problems: readonly string[]): Check => ({
  what,
  contradictions: problems.length > 10 ? [...problems.slice(0, 10), `and ${problems.length - 10} more`] : [...problems],
});

/** @returns whether everything held */
export function report(name: string, { figures, checks }: Outcome): boolean {
  for (const figure of figures) console.log(`      ${name}: ${figure}`);
  for (const { what, contradictions } of checks) {
    console.log(`${contradictions.length === 0 ? "ok   " : "FAIL "} ${name}: ${what}`);
    for (const each of contradictions) console.log(`      ${each.slice(0, 600)}`);
  }
  return checks.every(({ contradictions }) => contradictions.length === 0);
}
