import { useQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { Suspense, lazy, useState } from "react";
import { type ServiceKey, serviceKeys } from "../../api/keys.js";
import { useMay } from "../../api/me.js";
import { Button } from "../../parts/button.js";
import { Ago } from "../../parts/ago.js";
import { dateTime } from "../../parts/format.js";
import { Badge, Empty, ErrorNote, Foreign, Skeleton } from "../../parts/notes.js";
import { Page } from "../../parts/page.js";
import { type Column, DataTable } from "../../parts/table.js";
import { useTexts } from "../../text/texts.js";
import { KeyKinds } from "./kinds.js";

const CreateKey = lazy(() => import("./create.js"));
const RotateKey = lazy(() => import("./rotate.js"));
const RevokeKey = lazy(() => import("./revoke.js"));

type Doing = { what: "create" } | { what: "rotate" | "revoke"; key: ServiceKey };

/** The keys of the service itself. */
export function Component() {
  const { t } = useTexts();
  const mayWrite = useMay("admin:write");
  const { data, error, isPending, isFetching, refetch } = useQuery(serviceKeys);
  const [doing, setDoing] = useState<Doing | null>(null);
  const why = mayWrite ? null : t("mayOnlyLook");
  const columns = useColumns(why, setDoing);
  const close = () => {
    setDoing(null);
  };
  const create = (
    <Button
      look="primary"
      icon={<Plus aria-hidden className="size-4" />}
      why={why}
      onClick={() => {
        setDoing({ what: "create" });
      }}
    >
      {t("keys.create")}
    </Button>
  );
  return (
    <Page title={t("keys.title")} about={t("keys.about")} actions={create}>
      <KeyKinds current="/keys" />
      {error !== null && <ErrorNote error={error} retry={() => void refetch()} busy={isFetching} />}
      {isPending && <Skeleton />}
      {data?.data.length === 0 && (
        <Empty title={t("keys.empty")} action={create}>
          {t("keys.emptyAbout")}
        </Empty>
      )}
      {data !== undefined && data.data.length > 0 && (
        <DataTable label={t("keys.title")} rows={data.data} columns={columns} idOf={({ id }) => id} />
      )}
      <Suspense>
        {doing?.what === "create" && <CreateKey onClose={close} />}
        {doing?.what === "rotate" && <RotateKey of={doing.key} onClose={close} />}
        {doing?.what === "revoke" && <RevokeKey of={doing.key} onClose={close} />}
      </Suspense>
    </Page>
  );
}

function useColumns(why: string | null, act: (doing: Doing) => void): Column<ServiceKey>[] {
  const { t } = useTexts();
  return [
    {
      id: "name",
      title: t("keys.name"),
      cell: ({ name, key_ending: ending, previous_key_until: until }) => (
        <>
          <Foreign className="font-medium">{name}</Foreign>
          <div className="font-mono text-xs text-muted">…{ending}</div>
          {until !== null && (
            <div className="text-xs text-muted">{t("keys.previousUntil", { at: dateTime(until) })}</div>
          )}
        </>
      ),
    },
    {
      id: "scope",
      title: t("keys.scope"),
      cell: ({ scope, vector_store_ids: stores, identity_required: identity }) => (
        <div className="flex flex-col items-start gap-1">
          <Badge tone={scope === "admin" ? "warn" : "plain"}>{t(`keys.scopes.${scope}`)}</Badge>
          {stores !== null && (
            <span className="text-xs text-muted">{t("keys.onlyStores", { count: stores.length })}</span>
          )}
          {identity && <span className="text-xs text-muted">{t("keys.identityShort")}</span>}
        </div>
      ),
    },
    {
      id: "used",
      title: t("keys.used"),
      cell: ({ last_used_at: at }) => (at === null ? t("never") : <Ago at={at} />),
    },
    {
      id: "expires",
      title: t("keys.expires"),
      minor: true,
      cell: ({ expires_at: at }) =>
        at === null ? (
          t("never")
        ) : at * 1000 < Date.now() ? (
          <Badge tone="danger">{t("keys.ended")}</Badge>
        ) : (
          <Ago at={at} />
        ),
    },
    {
      id: "created",
      title: t("keys.created"),
      minor: true,
      cell: ({ created_at: at, created_by: by }) => (
        <>
          {dateTime(at)}
          <div className="text-xs text-muted">
            <Foreign>{by}</Foreign>
          </div>
        </>
      ),
    },
    {
      id: "actions",
      title: t("actions"),
      cell: (key) => (
        <div className="flex flex-wrap gap-2">
          <Button
            why={why}
            aria-label={t("keys.rotateOf", { name: key.name })}
            onClick={() => {
              act({ what: "rotate", key });
            }}
          >
            {t("keys.rotate")}
          </Button>
          <Button
            why={why}
            aria-label={t("keys.revokeOf", { name: key.name })}
            onClick={() => {
              act({ what: "revoke", key });
            }}
          >
            {t("keys.revoke")}
          </Button>
        </div>
      ),
    },
  ];
}
