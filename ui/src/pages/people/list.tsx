import { useQuery } from "@tanstack/react-query";
import { useMe } from "../../api/me.js";
import { type Source, type Team, type User, teamList, userList } from "../../api/people.js";
import { type Show, useFirstPage, useUrlState } from "../../app/urlState.js";
import { Empty, ErrorNote, Skeleton } from "../../parts/notes.js";
import { Notice } from "../../parts/notice.js";
import { Page } from "../../parts/page.js";
import { Pager } from "../../parts/pager.js";
import { Switch } from "../../parts/switch.js";
import { DataTable } from "../../parts/table.js";
import { useTexts } from "../../text/texts.js";
import { useTeamColumns, useUserColumns } from "./columns.js";
import { PeopleFilters } from "./filters.js";

export const usualPeople = { kind: "users", source: "litellm", search: "", page: "" };

/** LiteLLM's users and teams, and those that only this service still knows. */
export function Component() {
  const { t } = useTexts();
  const canAsk = useMe().features.litellm_management;
  const [shown, show] = useUrlState(usualPeople);
  const kind = shown.kind === "teams" ? "teams" : "users";
  const source = sourceOf(shown.source, canAsk);
  const query = {
    source,
    ...(source === "litellm" && shown.search !== "" && { search: shown.search }),
    ...(shown.page !== "" && { page: shown.page }),
  };
  return (
    <Page
      title={t("people.title")}
      about={t(`people.about.${source}`)}
      actions={
        <Switch
          label={t("people.kind")}
          options={[
            ["users", t("people.users")],
            ["teams", t("people.teams")],
          ]}
          value={kind}
          onChange={(next) => {
            show({ kind: next, search: "" });
          }}
        />
      }
    >
      {!canAsk && <Notice>{t("people.off")}</Notice>}
      <PeopleFilters kind={kind} source={source} canAsk={canAsk} shown={shown} show={show} />
      {kind === "users" ? <Users query={query} show={show} /> : <Teams query={query} show={show} />}
    </Page>
  );
}

/** Without LiteLLM nobody knows whom it has. */
function sourceOf(wanted: string, canAsk: boolean): Source {
  if (!canAsk || wanted === "service") return "service";
  return wanted === "gone" ? "gone" : "litellm";
}

interface ListProps {
  query: { source: Source; search?: string; page?: string };
  show: Show<typeof usualPeople>;
}

function Users({ query, show }: ListProps) {
  const columns = useUserColumns();
  const found = useQuery(userList(query));
  const isLeaving = useFirstPage(found.error, query.page ?? "", show);
  return <List found={found} isLeaving={isLeaving} columns={columns} source={query.source} />;
}

function Teams({ query, show }: ListProps) {
  const columns = useTeamColumns();
  const found = useQuery(teamList(query));
  const isLeaving = useFirstPage(found.error, query.page ?? "", show);
  return <List found={found} isLeaving={isLeaving} columns={columns} source={query.source} />;
}

interface FoundProps<T> {
  found: {
    data: { data: T[]; next_page: string | null } | undefined;
    error: Error | null;
    isPending: boolean;
    isFetching: boolean;
    isPlaceholderData: boolean;
    refetch: () => unknown;
  };
  columns: ReturnType<typeof useUserColumns<T & (User | Team)>>;
  source: Source;
  /** Its page cannot be read, and the first one is shown next. */
  isLeaving: boolean;
}

function List<T extends User | Team>({ found, columns, source, isLeaving }: FoundProps<T>) {
  const { t } = useTexts();
  const { data, error, isPending, isFetching, isPlaceholderData, refetch } = found;
  const isAway = useMe().features.litellm_management && data?.data.some((each) => each.in_litellm === null) === true;
  return (
    <>
      {error !== null && !isLeaving && <ErrorNote error={error} retry={() => void refetch()} busy={isFetching} />}
      {isAway && <Notice>{t("people.away")}</Notice>}
      {(isPending || isLeaving) && <Skeleton lines={8} />}
      {data?.data.length === 0 && (
        <Empty title={t("people.empty")}>
          {t(data.next_page !== null ? "people.emptySoFar" : `people.emptyAbout.${source}`)}
        </Empty>
      )}
      {data !== undefined && data.data.length > 0 && (
        <DataTable
          label={t("people.title")}
          rows={data.data}
          columns={columns}
          idOf={({ id }) => id}
          stale={isPlaceholderData}
        />
      )}
      {data !== undefined && <Pager what={t("people.title")} next={data.next_page} />}
    </>
  );
}
