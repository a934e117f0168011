import { currentLanguage } from "../text/texts.js";

/** Numbers and dates as people of the chosen language write them. */

const made = new Map<string, unknown>();

/** Making a formatter takes longer than using it, so each is kept. */
function keep<T>(name: string, options: object, make: (language: string) => T): T {
  const language = currentLanguage();
  const key = `${language} ${name} ${JSON.stringify(options)}`;
  const known = made.get(key) as T | undefined;
  if (known !== undefined) return known;
  const fresh = make(language);
  made.set(key, fresh);
  return fresh;
}

export function number(value: number, options: Intl.NumberFormatOptions = {}): string {
  return keep("number", options, (language) => new Intl.NumberFormat(language, options)).format(value);
}

export const percent = (fraction: number): string => number(fraction, { style: "percent", maximumFractionDigits: 1 });

const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;

/** In powers of 1,000: `12.3 MB`. */
export function bytes(count: number): string {
  const power = count < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(count) / 3));
  const value = count / 1000 ** power;
  const digits = power > 0 && value < 100 ? 1 : 0;
  return number(value, {
    style: "unit",
    unit: units[power] ?? "byte",
    unitDisplay: power === 0 ? "long" : "short",
    maximumFractionDigits: digits,
  });
}

/** @param seconds Unix time */
export function dateTime(seconds: number): string {
  const options = { dateStyle: "medium", timeStyle: "short" } as const;
  return keep("date", options, (language) => new Intl.DateTimeFormat(language, options)).format(seconds * 1000);
}

/** @param day in UTC: `2026-01-31` */
export function day(day: string, style: "short" | "medium" = "medium"): string {
  const options =
    style === "medium"
      ? ({ dateStyle: "medium", timeZone: "UTC" } as const)
      : ({ day: "numeric", month: "short", timeZone: "UTC" } as const);
  return keep("day", options, (language) => new Intl.DateTimeFormat(language, options)).format(
    Date.parse(`${day}T00:00:00Z`),
  );
}

const spans = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
] as const;

/** `3 hours ago`, `in 2 days`. @param seconds Unix time */
export function fromNow(seconds: number, now = Date.now()): string {
  const away = seconds - now / 1000;
  const [unit, length] = spans.find(([, span]) => Math.abs(away) >= span) ?? (["second", 1] as const);
  return keep("relative", {}, (language) => new Intl.RelativeTimeFormat(language, { numeric: "auto" })).format(
    Math.trunc(away / length),
    unit,
  );
}

/** `350 ms`, `2.5 s`, `3 min`, `5 hr`, `12 days`. */
export function duration(ms: number): string {
  const unit = (value: number, name: string, digits: number) =>
    number(value, { style: "unit", unit: name, unitDisplay: "short", maximumFractionDigits: digits });
  if (ms < 1000) return unit(ms, "millisecond", ms < 10 ? 1 : 0);
  if (ms < 60_000) return unit(ms / 1000, "second", 1);
  if (ms < 7_200_000) return unit(ms / 60_000, "minute", 0);
  return ms < 172_800_000 ? unit(ms / 3_600_000, "hour", 0) : unit(ms / 86_400_000, "day", 0);
}

/** What LiteLLM has counted, which may be far less than a cent. */
export const dollars = (amount: number): string =>
  number(amount, { style: "currency", currency: "USD", maximumFractionDigits: amount > 0 && amount < 0.01 ? 6 : 2 });
