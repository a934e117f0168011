import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "react-router";
import { type User, userOf } from "../../api/people.js";
import { dollars } from "../../parts/format.js";
import { ErrorNote, Foreign, Skeleton } from "../../parts/notes.js";
import { Facts, Page, Section } from "../../parts/page.js";
import { useTexts } from "../../text/texts.js";
import { Known } from "./columns.js";
import { PersonHere } from "./person.js";

const link = "text-accent underline-offset-2 hover:underline";

/** One user: what LiteLLM says, and what it has here. */
export function Component() {
  const { t } = useTexts();
  const { id = "" } = useParams();
  const { data, error, isPending, isFetching, refetch } = useQuery(userOf(id));
  const name = data?.litellm?.email ?? data?.litellm?.alias ?? id;
  return (
    <Page
      title={`${t("people.user")} ${name}`}
      heading={<Foreign>{name}</Foreign>}
      about={
        <>
          <Link to="/people" className={link}>
            {t("people.title")}
          </Link>{" "}
          {data !== undefined && <Known inLitellm={data.in_litellm} />}
        </>
      }
    >
      {error !== null && <ErrorNote error={error} retry={() => void refetch()} busy={isFetching} />}
      {isPending && <Skeleton lines={8} />}
      {data !== undefined && (
        <>
          {data.litellm !== null && <AtLitellm of={data.litellm} id={id} />}
          <PersonHere kind="user" of={data} />
        </>
      )}
    </Page>
  );
}

function AtLitellm({ of, id }: { of: NonNullable<User["litellm"]>; id: string }) {
  const { t } = useTexts();
  const { email, alias, role, teams, models, spend, max_budget: most } = of;
  return (
    <Section title={t("people.atLitellm")}>
      <Facts
        of={[
          [t("people.id"), <Foreign key="id">{id}</Foreign>],
          [t("people.email"), <Foreign key="email">{email ?? t("none")}</Foreign>],
          [t("people.alias"), <Foreign key="alias">{alias ?? t("none")}</Foreign>],
          [t("people.role"), <Foreign key="role">{role ?? t("none")}</Foreign>],
          [t("people.teams"), <Teams key="teams" ids={teams} />],
          [t("people.models"), <Foreign key="models">{models.join(", ") || t("people.allModels")}</Foreign>],
          [t("people.spend"), dollars(spend)],
          [t("people.budget"), most === null ? t("people.noBudget") : dollars(most)],
        ]}
      />
    </Section>
  );
}

function Teams({ ids }: { ids: readonly string[] }) {
  const { t } = useTexts();
  if (ids.length === 0) return t("none");
  return (
    <ul className="flex flex-wrap gap-x-3">
      {ids.map((each) => (
        <li key={each}>
          <Link to={`/people/teams/${encodeURIComponent(each)}`} className={link}>
            <Foreign>{each}</Foreign>
          </Link>
        </li>
      ))}
    </ul>
  );
}
