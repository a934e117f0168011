import { Link } from "react-router";
import type { Team, User } from "../../api/people.js";
import { bytes, dollars, number } from "../../parts/format.js";
import { Badge, Foreign } from "../../parts/notes.js";
import type { Column } from "../../parts/table.js";
import { useTexts } from "../../text/texts.js";

const link = "font-medium text-accent underline-offset-2 hover:underline";

/** Whether LiteLLM still has somebody; while it cannot be asked, nothing is said. */
export function Known({ inLitellm, blocked = false }: { inLitellm: boolean | null; blocked?: boolean }) {
  const { t } = useTexts();
  if (inLitellm === false) return <Badge tone="warn">{t("people.gone")}</Badge>;
  return blocked ? <Badge tone="danger">{t("people.blocked")}</Badge> : null;
}

/** What users and teams have here. */
function useHoldings<T extends User | Team>(): Column<T>[] {
  const { t } = useTexts();
  return [
    {
      id: "stores",
      title: t("people.stores"),
      numeric: true,
      cell: ({ vector_stores: { count } }) => number(count),
    },
    {
      id: "bytes",
      title: t("people.bytes"),
      numeric: true,
      minor: true,
      cell: ({ vector_stores: stores, files }) => bytes(stores.bytes + files.bytes),
    },
    { id: "requests", title: t("people.requests"), numeric: true, cell: ({ usage }) => number(usage.requests) },
    { id: "tokens", title: t("people.tokens"), numeric: true, minor: true, cell: ({ usage }) => number(usage.tokens) },
    {
      id: "spend",
      title: t("people.spend"),
      numeric: true,
      minor: true,
      cell: ({ litellm }) => (litellm === null ? "–" : dollars(litellm.spend)),
    },
  ];
}

export function useUserColumns<T extends User | Team = User>(): Column<T>[] {
  const { t } = useTexts();
  const holdings = useHoldings<T>();
  return [
    {
      id: "name",
      title: t("people.user"),
      cell: ({ id, in_litellm: known, litellm }) => {
        const name = litellm !== null && "email" in litellm ? (litellm.email ?? litellm.alias) : null;
        return (
          <>
            <Link to={`/people/users/${encodeURIComponent(id)}`} className={link}>
              <Foreign>{name ?? id}</Foreign>
            </Link>{" "}
            <Known inLitellm={known} />
            {name !== null && (
              <div className="text-xs text-muted">
                <Foreign>{id}</Foreign>
              </div>
            )}
          </>
        );
      },
    },
    {
      id: "role",
      title: t("people.role"),
      minor: true,
      cell: ({ litellm }) => (litellm !== null && "role" in litellm ? <Foreign>{litellm.role ?? "–"}</Foreign> : "–"),
    },
    ...holdings,
  ];
}

export function useTeamColumns<T extends User | Team = Team>(): Column<T>[] {
  const { t } = useTexts();
  const holdings = useHoldings<T>();
  return [
    {
      id: "name",
      title: t("people.team"),
      cell: ({ id, in_litellm: known, litellm }) => (
        <>
          <Link to={`/people/teams/${encodeURIComponent(id)}`} className={link}>
            <Foreign>{litellm?.alias ?? id}</Foreign>
          </Link>{" "}
          <Known inLitellm={known} blocked={litellm !== null && "blocked" in litellm && litellm.blocked} />
          {litellm?.alias != null && (
            <div className="text-xs text-muted">
              <Foreign>{id}</Foreign>
            </div>
          )}
        </>
      ),
    },
    {
      id: "members",
      title: t("people.members"),
      numeric: true,
      minor: true,
      cell: ({ litellm }) => (litellm !== null && "members" in litellm ? number(litellm.members.length) : "–"),
    },
    ...holdings,
  ];
}
