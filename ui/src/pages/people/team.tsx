import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "react-router";
import { type Team, teamOf } from "../../api/people.js";
import { dollars } from "../../parts/format.js";
import { ErrorNote, Foreign, Skeleton } from "../../parts/notes.js";
import { Facts, Page, Section } from "../../parts/page.js";
import { useTexts } from "../../text/texts.js";
import { Known } from "./columns.js";
import { PersonHere } from "./person.js";

const link = "text-accent underline-offset-2 hover:underline";

/** One team: what LiteLLM says, and what it has here. */
export function Component() {
  const { t } = useTexts();
  const { id = "" } = useParams();
  const { data, error, isPending, isFetching, refetch } = useQuery(teamOf(id));
  const name = data?.litellm?.alias ?? id;
  return (
    <Page
      title={`${t("people.team")} ${name}`}
      heading={<Foreign>{name}</Foreign>}
      about={
        <>
          <Link to="/people?kind=teams" className={link}>
            {t("people.title")}
          </Link>{" "}
          {data !== undefined && <Known inLitellm={data.in_litellm} blocked={data.litellm?.blocked === true} />}
        </>
      }
    >
      {error !== null && <ErrorNote error={error} retry={() => void refetch()} busy={isFetching} />}
      {isPending && <Skeleton lines={8} />}
      {data !== undefined && (
        <>
          {data.litellm !== null && <AtLitellm of={data.litellm} id={id} />}
          <PersonHere kind="team" of={data} />
        </>
      )}
    </Page>
  );
}

function AtLitellm({ of, id }: { of: NonNullable<Team["litellm"]>; id: string }) {
  const { t } = useTexts();
  const { alias, members, models, spend, max_budget: most } = of;
  return (
    <Section title={t("people.atLitellm")}>
      <Facts
        of={[
          [t("people.id"), <Foreign key="id">{id}</Foreign>],
          [t("people.alias"), <Foreign key="alias">{alias ?? t("none")}</Foreign>],
          [t("people.members"), <Members key="members" of={members} />],
          [t("people.models"), <Foreign key="models">{models.join(", ") || t("people.allModels")}</Foreign>],
          [t("people.spend"), dollars(spend)],
          [t("people.budget"), most === null ? t("people.noBudget") : dollars(most)],
        ]}
      />
    </Section>
  );
}

function Members({ of }: { of: NonNullable<Team["litellm"]>["members"] }) {
  const { t } = useTexts();
  if (of.length === 0) return t("none");
  return (
    <ul className="flex max-h-48 flex-col gap-0.5 overflow-auto">
      {of.map(({ user_id: user, role }, place) => (
        <li key={user ?? place}>
          {user === null ? (
            t("none")
          ) : (
            <Link to={`/people/users/${encodeURIComponent(user)}`} className={link}>
              <Foreign>{user}</Foreign>
            </Link>
          )}{" "}
          <span className="text-xs text-muted">{role}</span>
        </li>
      ))}
    </ul>
  );
}
