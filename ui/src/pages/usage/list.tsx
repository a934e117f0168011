import { useQuery } from "@tanstack/react-query";
import { Download } from "lucide-react";
import { useMay } from "../../api/me.js";
import { type UsageGroup, type UsageQuery, type Whose, usage, usageCsv } from "../../api/usage.js";
import { type Show, useFirstPage, useUrlState } from "../../app/urlState.js";
import { buttonClass } from "../../parts/button.js";
import { daysOf, mostDays, usualPeriod } from "../../parts/days.js";
import { duration, number, percent } from "../../parts/format.js";
import { Empty, ErrorNote, Skeleton } from "../../parts/notes.js";
import { Figure, Page, Section } from "../../parts/page.js";
import { Pager } from "../../parts/pager.js";
import { PeriodFields, knownPeriod } from "../../parts/period.js";
import { Switch } from "../../parts/switch.js";
import { useTexts } from "../../text/texts.js";
import { ByDay } from "./byDay.js";
import { UsageFilters, GroupFields, offeredGroups } from "./filters.js";
import { UsageTable } from "./table.js";

const usualGroup = "action" satisfies UsageGroup;
export const usualUsage = {
  ...usualPeriod,
  whose: "all",
  by: usualGroup,
  user_id: "",
  team_id: "",
  key_id: "",
  vector_store_id: "",
  action: "",
  view: "chart",
  page: "",
};
const known = { ...knownPeriod, whose: ["all", "own"], view: ["chart", "table"] };
const ofAnybody = ["user_id", "team_id", "key_id"] as const;
const ofAll = ["vector_store_id", "action"] as const;
const perPage = 100;

/** Requests, tokens and time: one's own, and for administrators everybody's, by anything. */
export function Component() {
  const { t } = useTexts();
  const isAdmin = useMay("admin:read");
  const [shown, show] = useUrlState(usualUsage, known);
  const whose: Whose = isAdmin && shown.whose !== "own" ? "all" : "own";
  const filters = whose === "all" ? [...ofAnybody, ...ofAll] : ofAll;
  const given = Object.fromEntries(filters.filter((name) => shown[name] !== "").map((name) => [name, shown[name]]));
  const asked: UsageQuery = { ...daysOf(shown), ...given };
  return (
    <Page
      title={t("usage.title")}
      about={t(whose === "all" ? "usage.aboutAll" : "usage.about")}
      actions={
        isAdmin && (
          <Switch
            label={t("usage.whose")}
            options={[
              ["all", t("usage.all")],
              ["own", t("usage.own")],
            ]}
            value={whose}
            onChange={(next) => {
              show({ whose: next });
            }}
          />
        )
      }
    >
      <PeriodFields shown={shown} show={show} />
      <UsageFilters whose={whose} shown={shown} show={show} asked={asked} />
      <Days whose={whose} asked={asked} view={shown.view} show={show} />
      <Sums whose={whose} asked={asked} shown={shown} show={show} />
    </Page>
  );
}

interface DaysProps {
  whose: Whose;
  asked: UsageQuery;
  view: string;
  show: Show<typeof usualUsage>;
}

function Days({ whose, asked, view, show }: DaysProps) {
  const { t } = useTexts();
  const days = useQuery(usage(whose, { ...asked, group_by: "day", limit: mostDays }));
  if (days.error !== null) {
    return <ErrorNote error={days.error} retry={() => void days.refetch()} busy={days.isFetching} />;
  }
  if (days.data === undefined) return <Skeleton lines={8} />;
  const { requests, failures, tokens, duration_ms: took } = days.data.totals;
  const share = requests === 0 ? undefined : t("usage.share", { percent: percent(failures / requests) });
  return (
    <>
      <div className="mb-6 grid grid-cols-2 gap-3 lg:grid-cols-4">
        <Figure label={t("usage.requests")} value={number(requests)} />
        <Figure label={t("usage.failures")} value={number(failures)} note={share} />
        <Figure label={t("usage.tokens")} value={number(tokens)} />
        <Figure label={t("usage.average")} value={requests === 0 ? "–" : duration(took / requests)} />
      </div>
      {requests > 0 && (
        <ByDay
          usage={days.data}
          view={view}
          onView={(next) => {
            show({ view: next }, { replace: true, keepPage: true });
          }}
        />
      )}
    </>
  );
}

interface SumsProps {
  whose: Whose;
  asked: UsageQuery;
  shown: typeof usualUsage;
  show: Show<typeof usualUsage>;
}

function Sums({ whose, asked, shown, show }: SumsProps) {
  const { t } = useTexts();
  const wanted = shown.by.split(",");
  const named = offeredGroups(whose).filter((each) => wanted.includes(each));
  const groups: UsageGroup[] = named.length === 0 ? [usualGroup] : named;
  const query = { ...asked, group_by: groups.join(",") };
  const page = { limit: perPage, ...(shown.page !== "" && { page: shown.page }) };
  const { data, error, isPending, isFetching, isPlaceholderData, refetch } = useQuery(
    usage(whose, { ...query, ...page }),
  );
  const isLeaving = useFirstPage(error, shown.page, show);
  // While other sums are on their way, those of before are shown only if they have the same columns.
  const rows = data?.data.every((row) => groups.every((group) => row[group] !== undefined)) === true ? data.data : null;
  const csv = (
    <a href={usageCsv(whose, query)} download="usage.csv" className={buttonClass("secondary")}>
      <Download aria-hidden className="size-4" />
      {t("usage.csv")}
    </a>
  );
  return (
    <Section title={t("usage.sums")} actions={csv}>
      <GroupFields
        whose={whose}
        groups={groups}
        onChange={(next) => {
          show({ by: next.join(",") });
        }}
      />
      {error !== null && !isLeaving && <ErrorNote error={error} retry={() => void refetch()} busy={isFetching} />}
      {(isLeaving || (error === null && (isPending || rows === null))) && <Skeleton />}
      {rows?.length === 0 && <Empty title={t("usage.empty")}>{t("usage.emptyAbout")}</Empty>}
      {rows !== null && rows.length > 0 && (
        <>
          <UsageTable rows={rows} groups={groups} withLinks={whose === "all"} stale={isPlaceholderData} />
          <Pager what={t("usage.title")} next={data?.next_page} />
        </>
      )}
    </Section>
  );
}
