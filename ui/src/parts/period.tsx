import type { SubmitEvent } from "react";
import { useTexts } from "../text/texts.js";
import { Button } from "./button.js";
import { type Period, daysOf, firstDay, isDay, isDayCount, mostDays, periodProblem, usualPeriod } from "./days.js";
import { useDraft } from "./draft.js";
import { TextField } from "./fields.js";
import { day } from "./format.js";
import { Switch } from "./switch.js";

const presets = ["7", "30", "90"] as const;

/** What of a period an address may say. */
export const knownPeriod = { days: isDayCount, from: isDay, to: isDay };

interface PeriodFieldsProps {
  shown: Period;
  show: (change: Partial<Period>) => void;
}

/** Which days are shown: the last ones, or from one day to another. */
export function PeriodFields({ shown, show }: PeriodFieldsProps) {
  const { t } = useTexts();
  const [{ from, to }, setDays] = useDraft(daysOf(shown));
  const isNamed = shown.from !== "" || shown.to !== "";
  const { to: today } = daysOf(usualPeriod);
  const problem = periodProblem({ from, to });
  const reasons = {
    day: t("period.noDay", { day: day(firstDay) }),
    order: t("period.why"),
    long: t("period.long", { count: mostDays }),
  };
  const send = (event: SubmitEvent) => {
    event.preventDefault();
    if (problem === null) show({ days: usualPeriod.days, from, to });
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
        min={firstDay}
        max={isDay(to) ? to : today}
        onChange={(event) => {
          setDays({ from: event.target.value, to });
        }}
      />
      <TextField
        label={t("period.to")}
        type="date"
        value={to}
        min={isDay(from) ? from : firstDay}
        max={today}
        onChange={(event) => {
          setDays({ from, to: event.target.value });
        }}
      />
      <Button type="submit" why={problem === null ? null : reasons[problem]}>
        {t("period.show")}
      </Button>
    </form>
  );
}
