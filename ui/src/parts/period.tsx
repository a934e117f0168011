import type { SubmitEvent } from "react";
import { dayMs, dayOf } from "../api/usage.js";
import { useTexts } from "../text/texts.js";
import { Button } from "./button.js";
import { useDraft } from "./draft.js";
import { TextField } from "./fields.js";
import { Switch } from "./switch.js";

/** Days until today, unless the first and the last day are named. As in the address. */
export const usualPeriod = { days: "30", from: "", to: "" };
type Period = typeof usualPeriod;

const presets = ["7", "30", "90"] as const;
/** Whether it is a day of the calendar. */
const isDay = (text: string): boolean =>
  /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(`${text}T00:00:00Z`));

/** The first and the last day, in UTC. */
export function daysOf({ days, from, to }: Period, now = Date.now()): { from: string; to: string } {
  const last = isDay(to) ? to : dayOf(now);
  const count = /^\d{1,4}$/.test(days) && Number(days) > 0 ? Number(days) : Number(usualPeriod.days);
  return { from: isDay(from) ? from : dayOf(Date.parse(`${last}T00:00:00Z`) - (count - 1) * dayMs), to: last };
}

interface PeriodFieldsProps {
  shown: Period;
  show: (change: Partial<Period>) => void;
}

/** Which days are shown: the last ones, or from one day to another. */
export function PeriodFields({ shown, show }: PeriodFieldsProps) {
  const { t } = useTexts();
  const [{ from, to }, setDays] = useDraft(daysOf(shown));
  const isNamed = isDay(shown.from) || isDay(shown.to);
  const send = (event: SubmitEvent) => {
    event.preventDefault();
    if (isDay(from) && isDay(to) && from <= to) show({ days: usualPeriod.days, from, to });
  };
  return (
    <form onSubmit={send} className="mb-4 flex flex-wrap items-end gap-3" aria-label={t("period.label")}>
      <Switch
        label={t("period.last")}
        options={presets.map((count) => [count, t("period.days", { count: Number(count) })])}
        value={isNamed ? "" : shown.days}
        onChange={(count) => {
          show({ days: count, from: "", to: "" });
        }}
      />
      <TextField
        label={t("period.from")}
        type="date"
        value={from}
        max={to}
        onChange={(event) => {
          setDays({ from: event.target.value, to });
        }}
      />
      <TextField
        label={t("period.to")}
        type="date"
        value={to}
        min={from}
        onChange={(event) => {
          setDays({ from, to: event.target.value });
        }}
      />
      <Button type="submit" why={from > to ? t("period.why") : null}>
        {t("period.show")}
      </Button>
    </form>
  );
}
