/** Days in UTC, and periods of them: `2026-01-31`. */

const dayMs = 86_400_000;

const dayOf = (millis: number): string => new Date(millis).toISOString().slice(0, 10);

/** As the service has them: it refuses earlier days, and longer periods. */
export const firstDay = "2020-01-01";
export const mostDays = 3_660;

/** Days until today, unless the first and the last day are named. As in the address. */
export const usualPeriod = { days: "30", from: "", to: "" };
export type Period = typeof usualPeriod;

const at = (day: string): number => Date.parse(`${day}T00:00:00Z`);

/** Whether it is a day of the calendar that the service has. */
export const isDay = (text: string): boolean =>
  /^\d{4}-\d\d-\d\d$/.test(text) && text >= firstDay && !Number.isNaN(at(text)) && dayOf(at(text)) === text;

/** What is wrong with a period; null: nothing. */
export function periodProblem({ from, to }: Pick<Period, "from" | "to">): "day" | "order" | "long" | null {
  if (!isDay(from) || !isDay(to)) return "day";
  if (from > to) return "order";
  return (at(to) - at(from)) / dayMs + 1 > mostDays ? "long" : null;
}

/** The first and the last day. What cannot be shown is read as the usual period. */
export function daysOf({ days, from, to }: Period, now = Date.now()): { from: string; to: string } {
  const last = isDay(to) ? to : dayOf(now);
  const first = isDay(from) ? from : firstOf(last, Number(isDayCount(days) ? days : usualPeriod.days));
  const period = { from: first, to: last };
  if (periodProblem(period) === null) return period;
  return { from: firstOf(dayOf(now), Number(usualPeriod.days)), to: dayOf(now) };
}

function firstOf(last: string, days: number): string {
  const first = dayOf(at(last) - (days - 1) * dayMs);
  return first < firstDay ? firstDay : first;
}

export const isDayCount = (text: string): boolean =>
  /^\d{1,4}$/.test(text) && Number(text) > 0 && Number(text) <= mostDays;

/** Each day from the first to the last. */
export function daysBetween(from: string, to: string): string[] {
  const count = Math.min(mostDays, Math.max(0, (at(to) - at(from)) / dayMs + 1));
  return Array.from({ length: count }, (_, i) => dayOf(at(from) + i * dayMs));
}
