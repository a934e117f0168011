import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { type AuditEntry, auditLog } from "../../api/audit.js";
import { useFirstPage, useUrlState } from "../../app/urlState.js";
import { dateTime } from "../../parts/format.js";
import { Empty, ErrorNote, Foreign, Skeleton } from "../../parts/notes.js";
import { Page } from "../../parts/page.js";
import { Pager } from "../../parts/pager.js";
import { type Column, DataTable } from "../../parts/table.js";
import { Person } from "../people/name.js";
import { type TextKey, useTexts } from "../../text/texts.js";
import { Details } from "./details.js";

const usual = { page: "" };
const perPage = 50;

/** What administrators did, newest first. */
export function Component() {
  const { t } = useTexts();
  const [{ page }, show] = useUrlState(usual);
  const { data, error, isPending, isFetching, isPlaceholderData, refetch } = useQuery(
    auditLog({ limit: perPage, ...(page !== "" && { after: page }) }),
  );
  const isLeaving = useFirstPage(error, page, show);
  const columns = useColumns();
  return (
    <Page title={t("audit.title")} about={t("audit.about")}>
      {error !== null && !isLeaving && <ErrorNote error={error} retry={() => void refetch()} busy={isFetching} />}
      {(isPending || isLeaving) && <Skeleton lines={8} />}
      {data?.data.length === 0 && <Empty title={t("audit.empty")}>{t("audit.emptyAbout")}</Empty>}
      {data !== undefined && data.data.length > 0 && (
        <>
          <DataTable
            label={t("audit.title")}
            rows={data.data}
            columns={columns}
            idOf={({ id }) => id}
            stale={isPlaceholderData}
          />
          <Pager what={t("audit.title")} next={data.has_more ? data.last_id : null} />
        </>
      )}
    </Page>
  );
}

function useColumns(): Column<AuditEntry>[] {
  const { t } = useTexts();
  return [
    { id: "at", title: t("audit.at"), cell: ({ at }) => <span className="whitespace-nowrap">{dateTime(at)}</span> },
    {
      id: "action",
      title: t("audit.action"),
      cell: ({ action }) => {
        const key = known[action];
        return (
          <div className="min-w-32">
            {key !== undefined && <div className="font-medium">{t(key)}</div>}
            <code className="font-mono text-xs text-muted">{action}</code>
          </div>
        );
      },
    },
    {
      id: "actor",
      title: t("audit.actor"),
      cell: ({ actor }) => (
        <div className="min-w-24">
          <Person subject={actor} />
        </div>
      ),
    },
    { id: "target", title: t("audit.target"), cell: ({ target }) => <Target id={target} /> },
    {
      id: "details",
      title: t("audit.details"),
      cell: ({ details }) => (
        <div className="min-w-52">
          <Details of={details} />
        </div>
      ),
    },
    {
      id: "from",
      title: t("audit.from"),
      minor: true,
      cell: ({ address, request_id: request }) => (
        <div className="min-w-32 font-mono text-xs">
          <div>{address ?? t("audit.commandLine")}</div>
          {request !== null && <div className="text-muted">{request}</div>}
        </div>
      ),
    },
  ];
}

/** What it was done to, with the way there. What was deleted says so itself. */
function Target({ id }: { id: string }) {
  const to = id.startsWith("vs_")
    ? `/vector-stores/${id}`
    : /^(user|team|key):./s.test(id)
      ? `/people/owners/${encodeURIComponent(id)}`
      : null;
  const text = <Foreign className="block min-w-44 font-mono text-xs">{id}</Foreign>;
  return to === null ? (
    text
  ) : (
    <Link to={to} className="text-accent underline-offset-2 hover:underline">
      {text}
    </Link>
  );
}

/** Acts in people's words; a newer service may have others. */
const known: Partial<Record<string, Extract<TextKey, `audit.acts.${string}`>>> = {
  "key.create": "audit.acts.keyCreate",
  "key.revoke": "audit.acts.keyRevoke",
  "key.rotate": "audit.acts.keyRotate",
  "litellm_key.create": "audit.acts.keyCreate",
  "litellm_key.rotate": "audit.acts.keyRotate",
  "litellm_key.block": "audit.acts.keyBlock",
  "litellm_key.unblock": "audit.acts.keyUnblock",
  "limits.set": "audit.acts.limitsSet",
  "limits.remove": "audit.acts.limitsRemove",
  "owner.erase": "audit.acts.ownerErase",
  "owner.transfer": "audit.acts.ownerTransfer",
  "permission.grant": "audit.acts.permissionGrant",
  "permission.import": "audit.acts.permissionGrant",
  "permission.revoke": "audit.acts.permissionRevoke",
  "session.created": "audit.acts.sessionCreated",
  "session.ended": "audit.acts.sessionEnded",
  "session.refused": "audit.acts.sessionRefused",
  "store.adopt": "audit.acts.storeAdopt",
  "store.delete": "audit.acts.storeDelete",
  "store.transfer": "audit.acts.storeTransfer",
  "store.update": "audit.acts.storeUpdate",
  "embeddings.delete": "audit.acts.rowsDelete",
  "file.delete": "audit.acts.fileDelete",
};
