import {
  Bar,
  BarChart,
  CartesianGrid,
  ResponsiveContainer,
  Tooltip,
  type TooltipContentProps,
  XAxis,
  YAxis,
} from "recharts";
import type { UsageRow } from "../../api/usage.js";
import { day, number } from "../../parts/format.js";
import { useTexts } from "../../text/texts.js";

export interface Series {
  of: "requests" | "succeeded" | "failures" | "tokens";
  title: string;
  color: string;
}
type DayRow = UsageRow & { day: string };

const height = 220;
const tick = { fill: "var(--color-muted)", fontSize: 12 };

/** Bars for each day, one series on the other. The table beside it has the same figures for who cannot see it. */
export default function DayChart({
  label,
  rows,
  series,
}: {
  label: string;
  rows: DayRow[];
  series: readonly Series[];
}) {
  const { t } = useTexts();
  const shown = rows.map((row) => ({ ...row, succeeded: row.requests - row.failures }));
  return (
    <figure role="img" aria-label={t("usage.chartLabel", { what: label })}>
      <ResponsiveContainer width="100%" height={height}>
        <BarChart data={shown} accessibilityLayer={false} margin={{ top: 4, right: 4, bottom: 0, left: 0 }}>
          <CartesianGrid vertical={false} stroke="var(--color-line)" />
          <XAxis
            dataKey="day"
            tickFormatter={(each: string) => day(each, "short")}
            tick={tick}
            tickLine={false}
            axisLine={{ stroke: "var(--color-edge)" }}
            minTickGap={24}
          />
          <YAxis
            tickFormatter={(value: number) => number(value, { notation: "compact" })}
            tick={tick}
            tickLine={false}
            axisLine={false}
            allowDecimals={false}
            width={48}
          />
          <Tooltip
            cursor={{ fill: "var(--color-hover)" }}
            isAnimationActive={false}
            content={(hovered) => <Hovered {...hovered} series={series} />}
          />
          {series.map(({ of, color }) => (
            <Bar key={of} dataKey={of} stackId="day" fill={color} isAnimationActive={false} maxBarSize={40} />
          ))}
        </BarChart>
      </ResponsiveContainer>
    </figure>
  );
}

function Hovered({ active, payload, label, series }: TooltipContentProps & { series: readonly Series[] }) {
  if (!active || typeof label !== "string") return null;
  return (
    <div className="rounded-md border border-line bg-raised p-2 text-xs shadow-lg">
      <p className="font-medium">{day(label)}</p>
      {series.map(({ of, title }) => (
        <p key={of}>
          {title}: {number(Number(payload.find(({ dataKey }) => dataKey === of)?.value ?? 0))}
        </p>
      ))}
    </div>
  );
}
