/**
 * How often fast-check tries a property. `npm test` tries a tenth of `full`, always the same examples; `.ci/run` all of
 * those that need no database.
 * `npm run check:campaigns` sets TEST_CAMPAIGN and tries all, with new examples each time. fast-check prints the seed
 * of a failure; TEST_SEED repeats it.
 */
export function campaign(full: number): { numRuns: number; seed: number } {
  const whole = (process.env.TEST_CAMPAIGN ?? "") !== "";
  const seed = Number(process.env.TEST_SEED ?? (whole ? Date.now() % 2 ** 31 : 1));
  return { numRuns: whole ? full : Math.ceil(full / 10), seed };
}
