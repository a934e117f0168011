import { useQuery } from "@tanstack/react-query";
import { Filter } from "lucide-react";
import { Link } from "react-router";
import type { Kind } from "../../api/people.js";
import { type UsageQuery, usage } from "../../api/usage.js";
import { IconButton } from "../../parts/button.js";
import { number } from "../../parts/format.js";
import { ErrorNote, Skeleton } from "../../parts/notes.js";
import { Section } from "../../parts/page.js";
import { Person } from "../people/name.js";
import { operationName, useTexts } from "../../text/texts.js";

const shownRows = 8;
const link = "text-accent underline-offset-2 hover:underline";

interface TopPeopleProps {
  kind: Kind;
  asked: UsageQuery;
  /** Shows only one of them on the page. */
  onOnly: (id: string) => void;
}

/** Who sends the most requests. */
export function TopPeople({ kind, asked, onOnly }: TopPeopleProps) {
  const { t } = useTexts();
  const group = `${kind}_id` as const;
  const { data, error, isPending, isFetching, refetch } = useQuery(
    usage("all", { ...asked, group_by: group, limit: shownRows }),
  );
  return (
    <Section title={t(kind === "user" ? "dashboard.byUser" : "dashboard.byTeam")}>
      {error !== null && <ErrorNote error={error} retry={() => void refetch()} busy={isFetching} />}
      {isPending && <Skeleton />}
      {data?.data.length === 0 && <p className="text-sm text-muted">{t("none")}</p>}
      <ol className="flex flex-col gap-1 text-sm">
        {data?.data.map((row) => {
          const id = row[group] ?? "";
          return (
            <li key={id} className="flex min-h-9 items-center gap-2">
              <span className="min-w-0 flex-1">
                {id === "" ? (
                  <span className="text-muted">{t(kind === "user" ? "dashboard.nobody" : "dashboard.noTeam")}</span>
                ) : (
                  <Link to={`/people/${kind}s/${encodeURIComponent(id)}`} className={link}>
                    <Person subject={`${kind}:${id}`} shown={id} />
                  </Link>
                )}
              </span>
              <span className="tabular-nums">{number(row.requests)}</span>
              {id !== "" && (
                <IconButton
                  icon={<Filter aria-hidden className="size-4" />}
                  label={t("dashboard.onlyOf", { name: id })}
                  onClick={() => {
                    onOnly(id);
                  }}
                />
              )}
            </li>
          );
        })}
      </ol>
    </Section>
  );
}

const mostActions = 1000;

/** Which requests fail. */
export function TopFailures({ asked }: { asked: UsageQuery }) {
  const { t } = useTexts();
  const { data, error, isPending, isFetching, refetch } = useQuery(
    usage("all", { ...asked, group_by: "action", limit: mostActions }),
  );
  const failing = data?.data
    .filter(({ failures }) => failures > 0)
    .toSorted((a, b) => b.failures - a.failures)
    .slice(0, shownRows);
  return (
    <Section title={t("dashboard.failing")}>
      {error !== null && <ErrorNote error={error} retry={() => void refetch()} busy={isFetching} />}
      {isPending && <Skeleton />}
      {failing?.length === 0 && <p className="text-sm text-muted">{t("dashboard.noFailures")}</p>}
      <ol className="flex flex-col gap-1 text-sm">
        {failing?.map(({ action = "", failures }) => {
          const { from = "", to = "" } = asked;
          const search = new URLSearchParams({ from, to, action, by: "user_id" }).toString();
          return (
            <li key={action} className="flex min-h-9 items-center gap-2">
              <Link to={`/usage?${search}`} title={action} className={`min-w-0 flex-1 ${link}`}>
                {operationName(action, t)}
              </Link>
              <span className="text-danger tabular-nums">{number(failures)}</span>
            </li>
          );
        })}
      </ol>
    </Section>
  );
}
