import { Suspense, lazy, useState } from "react";
import { Link } from "react-router";
import type { LitellmKey } from "../../../api/litellmKeys.js";
import { useMay } from "../../../api/me.js";
import { Button } from "../../../parts/button.js";
import { Ago } from "../../../parts/ago.js";
import { dollars } from "../../../parts/format.js";
import { Badge, Foreign } from "../../../parts/notes.js";
import { type Column, DataTable } from "../../../parts/table.js";
import { Person } from "../../people/name.js";
import { useTexts } from "../../../text/texts.js";

const BlockKey = lazy(() => import("./block.js"));
const RotateKey = lazy(() => import("./rotate.js"));

interface Doing {
  what: "rotate" | "block";
  key: LitellmKey;
}
const tones = { active: "ok", blocked: "danger", expired: "warn" } as const;

/** LiteLLM's keys, with what can be done to each. */
export function LitellmKeyTable({ keys, stale = false }: { keys: readonly LitellmKey[]; stale?: boolean }) {
  const { t } = useTexts();
  const why = useMay("admin:write") ? null : t("mayOnlyLook");
  const [doing, setDoing] = useState<Doing | null>(null);
  const columns = useColumns(why, setDoing);
  const close = () => {
    setDoing(null);
  };
  return (
    <>
      <DataTable label={t("keys.litellmTitle")} rows={keys} columns={columns} idOf={({ id }) => id} stale={stale} />
      <Suspense>
        {doing?.what === "rotate" && <RotateKey of={doing.key} onClose={close} />}
        {doing?.what === "block" && <BlockKey of={doing.key} onClose={close} />}
      </Suspense>
    </>
  );
}

const link = "text-accent underline-offset-2 hover:underline";

/** What people know a key by. */
export const nameOf = ({ alias, key_ending: ending, id }: LitellmKey): string => alias ?? `…${ending ?? id.slice(-8)}`;

function useColumns(why: string | null, act: (doing: Doing) => void): Column<LitellmKey>[] {
  const { t } = useTexts();
  return [
    {
      id: "name",
      title: t("keys.alias"),
      cell: (key) => (
        <>
          <Foreign className="font-medium">{nameOf(key)}</Foreign>
          {key.alias !== null && key.key_ending !== null && (
            <div className="font-mono text-xs text-muted">…{key.key_ending}</div>
          )}
        </>
      ),
    },
    {
      id: "status",
      title: t("keys.status"),
      cell: ({ status }) => <Badge tone={tones[status]}>{t(`keys.states.${status}`)}</Badge>,
    },
    {
      id: "of",
      title: t("keys.of"),
      cell: ({ user_id: user, team_id: team }) => (
        <div className="flex flex-col items-start">
          {user !== null && (
            <Link to={`/people/users/${encodeURIComponent(user)}`} className={link}>
              <Person subject={`user:${user}`} shown={user} />
            </Link>
          )}
          {team !== null && (
            <Link to={`/people/teams/${encodeURIComponent(team)}`} className={`text-xs ${link}`}>
              <Person subject={`team:${team}`} shown={team} />
            </Link>
          )}
          {user === null && team === null && t("keys.nobody")}
        </div>
      ),
    },
    {
      id: "limits",
      title: t("keys.only"),
      minor: true,
      cell: ({ models, vector_store_ids: stores }) => (
        <div className="text-xs text-muted">
          <div>{models.length === 0 ? t("keys.allModels") : <Foreign>{models.join(", ")}</Foreign>}</div>
          {stores.length > 0 && <div>{t("keys.onlyStores", { count: stores.length })}</div>}
        </div>
      ),
    },
    {
      id: "spend",
      title: t("keys.spend"),
      numeric: true,
      minor: true,
      cell: ({ spend, max_budget: most }) => (
        <>
          {dollars(spend)}
          {most !== null && <div className="text-xs text-muted">{t("keys.ofBudget", { most: dollars(most) })}</div>}
        </>
      ),
    },
    {
      id: "used",
      title: t("keys.used"),
      minor: true,
      cell: ({ last_used_at: at }) => (at === null ? t("never") : <Ago at={at} />),
    },
    {
      id: "expires",
      title: t("keys.expires"),
      minor: true,
      cell: ({ expires_at: at }) => (at === null ? t("never") : <Ago at={at} />),
    },
    {
      id: "actions",
      title: t("actions"),
      cell: (key) => (
        <div className="flex flex-wrap gap-2">
          <Button
            why={why ?? (key.status === "active" ? null : t("keys.onlyActive"))}
            aria-label={t("keys.rotateOf", { name: nameOf(key) })}
            onClick={() => {
              act({ what: "rotate", key });
            }}
          >
            {t("keys.rotate")}
          </Button>
          <Button
            why={why}
            aria-label={t(key.status === "blocked" ? "keys.unblockOf" : "keys.blockOf", { name: nameOf(key) })}
            onClick={() => {
              act({ what: "block", key });
            }}
          >
            {t(key.status === "blocked" ? "keys.unblock" : "keys.block")}
          </Button>
        </div>
      ),
    },
  ];
}
