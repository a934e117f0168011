import type { ReactNode } from "react";
import { Link } from "react-router";
import type { UsageGroup, UsageRow } from "../../api/usage.js";
import { day, duration, number } from "../../parts/format.js";
import { Foreign } from "../../parts/notes.js";
import { type Column, DataTable } from "../../parts/table.js";
import { marked } from "../../text/marked.js";
import { Person } from "../people/name.js";
import { operationName, useTexts } from "../../text/texts.js";

interface UsageTableProps {
  rows: readonly UsageRow[];
  groups: readonly UsageGroup[];
  /** Leads to the pages of users and teams, which only administrators see. */
  withLinks: boolean;
  stale: boolean;
}

export function UsageTable({ rows, groups, withLinks, stale }: UsageTableProps) {
  const { t } = useTexts();
  const columns: Column<UsageRow>[] = [
    ...groups.map((group) => ({
      id: group,
      title: t(`usage.groups.${group}`),
      cell: (row: UsageRow) => <Place of={group} value={row[group] ?? ""} withLinks={withLinks} />,
    })),
    { id: "requests", title: t("usage.requests"), numeric: true, cell: (row) => number(row.requests) },
    { id: "failures", title: t("usage.failures"), numeric: true, cell: (row) => number(row.failures) },
    { id: "tokens", title: t("usage.tokens"), numeric: true, cell: (row) => number(row.tokens) },
    {
      id: "average",
      title: t("usage.average"),
      numeric: true,
      minor: true,
      cell: (row) => (row.requests === 0 ? "–" : duration(row.duration_ms / row.requests)),
    },
  ];
  const idOf = (row: UsageRow) => JSON.stringify(groups.map((group) => row[group]));
  return <DataTable label={t("usage.title")} rows={rows} columns={columns} idOf={idOf} stale={stale} />;
}

const link = "text-accent underline-offset-2 hover:underline";

/** One of the values that sums are grouped by. */
function Place({ of, value, withLinks }: { of: UsageGroup; value: string; withLinks: boolean }): ReactNode {
  const { t } = useTexts();
  if (of === "day") return <span className="whitespace-nowrap">{day(value)}</span>;
  if (value === "") return <span className="text-muted">{t("none")}</span>;
  if (of === "action") return <span title={marked(value)}>{marked(operationName(value, t))}</span>;
  if (of === "key_id") {
    return (
      <code className="font-mono text-xs" title={marked(value)}>
        {/^[0-9a-f]{64}$/.test(value) ? `${value.slice(0, 12)}…` : marked(value)}
      </code>
    );
  }
  const places = { user_id: "/people/users/", team_id: "/people/teams/", vector_store_id: "/vector-stores/" } as const;
  const text =
    of === "vector_store_id" ? (
      <Foreign className="font-mono text-xs">{value}</Foreign>
    ) : (
      <Person subject={`${of === "user_id" ? "user" : "team"}:${value}`} shown={value} />
    );
  if (!withLinks && of !== "vector_store_id") return text;
  return (
    <Link to={places[of] + encodeURIComponent(value)} className={link}>
      {text}
    </Link>
  );
}
