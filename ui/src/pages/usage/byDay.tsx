import { Suspense, lazy } from "react";
import { everyDay } from "../../api/usage.js";
import type { Schemas } from "../../api/client.js";
import { Skeleton } from "../../parts/notes.js";
import { Section } from "../../parts/page.js";
import { Switch } from "../../parts/switch.js";
import { useTexts } from "../../text/texts.js";

// Charts are large, so they are loaded only where one is shown.
const DayChart = lazy(() => import("./chart.js"));
// The dashboard has no other table.
const DayTable = lazy(() => import("./dayTable.js"));

interface ByDayProps {
  /** Sums by day. */
  usage: Schemas["Usage"];
  view: string;
  onView: (view: "chart" | "table") => void;
}

/** Requests and tokens of each day, as charts or as a table. */
export function ByDay({ usage, view, onView }: ByDayProps) {
  const { t } = useTexts();
  const rows = everyDay(usage);
  const isTable = view === "table";
  return (
    <Section
      title={t("usage.byDay")}
      actions={
        <Switch
          label={t("usage.view")}
          options={[
            ["chart", t("usage.chart")],
            ["table", t("usage.table")],
          ]}
          value={isTable ? "table" : "chart"}
          onChange={onView}
        />
      }
    >
      <Suspense fallback={<Skeleton lines={6} />}>
        {isTable ? (
          <DayTable rows={rows} />
        ) : (
          <div className="grid gap-6 lg:grid-cols-2">
            <Chart
              title={t("usage.requests")}
              rows={rows}
              series={[
                { of: "succeeded", title: t("usage.succeeded"), color: "var(--color-accent)" },
                { of: "failures", title: t("usage.failures"), color: "var(--color-danger)" },
              ]}
            />
            <Chart
              title={t("usage.tokens")}
              rows={rows}
              series={[{ of: "tokens", title: t("usage.tokens"), color: "var(--color-ok)" }]}
            />
          </div>
        )}
      </Suspense>
    </Section>
  );
}

type Rows = ReturnType<typeof everyDay>;
interface ChartProps {
  title: string;
  rows: Rows;
  series: Parameters<typeof DayChart>[0]["series"];
}

function Chart({ title, rows, series }: ChartProps) {
  return (
    <div>
      <div className="mb-2 flex flex-wrap items-center justify-between gap-2 text-sm">
        <h3 className="font-medium">{title}</h3>
        {series.length > 1 && (
          <ul className="flex flex-wrap gap-3 text-xs text-muted">
            {series.map(({ of, title: name, color }) => (
              <li key={of} className="flex items-center gap-1.5">
                <svg aria-hidden viewBox="0 0 10 10" className="size-2.5">
                  <rect width="10" height="10" rx="2" fill={color} />
                </svg>
                {name}
              </li>
            ))}
          </ul>
        )}
      </div>
      <DayChart label={title} rows={rows} series={series} />
    </div>
  );
}
