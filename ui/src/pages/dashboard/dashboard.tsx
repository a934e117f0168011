import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { type UsageQuery, usage } from "../../api/usage.js";
import { useUrlState } from "../../app/urlState.js";
import { Button, ButtonLink } from "../../parts/button.js";
import { daysOf, mostDays, usualPeriod } from "../../parts/days.js";
import { number, percent } from "../../parts/format.js";
import { Empty, ErrorNote, Foreign, Skeleton } from "../../parts/notes.js";
import { Figure, Page } from "../../parts/page.js";
import { PeriodFields, knownPeriod } from "../../parts/period.js";
import { useTexts } from "../../text/texts.js";
import { ByDay } from "../usage/byDay.js";
import { State } from "./state.js";
import { TopFailures, TopPeople } from "./top.js";

export const usualDashboard = { ...usualPeriod, user_id: "", team_id: "", view: "chart" };
const known = { ...knownPeriod, view: ["chart", "table"] };

/** How the service does: what it has, what is asked of it, and whether all is well. */
export function Component() {
  const { t } = useTexts();
  const [shown, show] = useUrlState(usualDashboard, known);
  const period = daysOf(shown);
  const given = {
    ...(shown.user_id !== "" && { user_id: shown.user_id }),
    ...(shown.team_id !== "" && { team_id: shown.team_id }),
  };
  const asked = { ...period, ...given };
  const usagePage = new URLSearchParams({ ...asked, by: "user_id" }).toString();
  return (
    <Page title={t("dashboard.title")} about={t("dashboard.about")}>
      <State />
      <PeriodFields shown={shown} show={show} />
      {(shown.user_id !== "" || shown.team_id !== "") && (
        <p className="mb-4 flex flex-wrap items-center gap-2 text-sm">
          {t("dashboard.shown")} <Foreign className="font-medium">{shown.user_id || shown.team_id}</Foreign>
          <Button
            onClick={() => {
              show({ user_id: "", team_id: "" });
            }}
          >
            {t("dashboard.showAll")}
          </Button>
        </p>
      )}
      <Requests
        asked={asked}
        view={shown.view}
        onView={(view) => {
          show({ view }, { replace: true });
        }}
      />
      <div className="grid gap-x-6 lg:grid-cols-3">
        <TopPeople
          kind="user"
          asked={asked}
          onOnly={(id) => {
            show({ user_id: id, team_id: "" });
          }}
        />
        <TopPeople
          kind="team"
          asked={asked}
          onOnly={(id) => {
            show({ user_id: "", team_id: id });
          }}
        />
        <TopFailures asked={asked} />
      </div>
      <ButtonLink to={`/usage?${usagePage}`}>{t("dashboard.allUsage")}</ButtonLink>
    </Page>
  );
}

interface RequestsProps {
  asked: UsageQuery;
  view: string;
  onView: (view: "chart" | "table") => void;
}

function Requests({ asked, view, onView }: RequestsProps) {
  const { t } = useTexts();
  const { data, error, isFetching, refetch } = useQuery(usage("all", { ...asked, group_by: "day", limit: mostDays }));
  if (error !== null) return <ErrorNote error={error} retry={() => void refetch()} busy={isFetching} />;
  if (data === undefined) return <Skeleton lines={8} />;
  const { requests, failures, tokens } = data.totals;
  return (
    <>
      <div className="mb-6 grid grid-cols-2 gap-3 lg:grid-cols-3">
        <Figure label={t("usage.requests")} value={number(requests)} />
        <Figure
          label={t("usage.failures")}
          value={number(failures)}
          note={requests === 0 ? undefined : t("usage.share", { percent: percent(failures / requests) })}
        />
        <Figure label={t("usage.tokens")} value={number(tokens)} />
      </div>
      {requests === 0 ? (
        <div className="mb-6">
          <Empty title={t("dashboard.empty")} action={<Link to="/vector-stores">{t("nav.stores")}</Link>}>
            {t("dashboard.emptyAbout")}
          </Empty>
        </div>
      ) : (
        <ByDay usage={data} view={view} onView={onView} />
      )}
    </>
  );
}
