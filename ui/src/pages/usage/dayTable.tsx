import type { everyDay } from "../../api/usage.js";
import { day, number } from "../../parts/format.js";
import { type Column, DataTable } from "../../parts/table.js";
import { useTexts } from "../../text/texts.js";

type Rows = ReturnType<typeof everyDay>;

/** The sums of each day, the newest first. */
export default function DayTable({ rows }: { rows: Rows }) {
  const { t } = useTexts();
  const columns: Column<Rows[number]>[] = [
    { id: "day", title: t("usage.groups.day"), cell: (row) => day(row.day) },
    ...(["requests", "failures", "tokens"] as const).map((name) => ({
      id: name,
      title: t(`usage.${name}`),
      numeric: true,
      cell: (row: Rows[number]) => number(row[name]),
    })),
  ];
  return <DataTable label={t("usage.dayTable")} rows={rows.toReversed()} columns={columns} idOf={(row) => row.day} />;
}
