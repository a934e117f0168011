import type { Session } from "../../api/sessions.js";
import { Button } from "../../parts/button.js";
import { Ago } from "../../parts/ago.js";
import { dateTime } from "../../parts/format.js";
import { Badge, Foreign } from "../../parts/notes.js";
import { type Column, DataTable } from "../../parts/table.js";
import { Person } from "../people/name.js";
import { useTexts } from "../../text/texts.js";
import { browserOf } from "./browser.js";

interface SessionTableProps {
  sessions: readonly Session[];
  end: (session: Session) => () => void;
  /** Why others' sessions cannot be ended. */
  why?: string | null;
  withName?: boolean;
  stale?: boolean;
}

export function SessionTable({ sessions, end, why = null, withName = false, stale = false }: SessionTableProps) {
  const { t } = useTexts();
  const name: Column<Session> = {
    id: "name",
    title: t("sessions.name"),
    cell: ({ name: whose, read_only: readOnly, kind }) => (
      <>
        <div className="font-medium">
          <Person subject={whose} />
        </div>
        <div className="text-xs text-muted">{readOnly ? t("sessions.viewer") : t(`sessions.kinds.${kind}`)}</div>
      </>
    ),
  };
  const columns: Column<Session>[] = [
    ...(withName ? [name] : []),
    {
      id: "browser",
      title: t("sessions.browser"),
      cell: ({ user_agent: agent, current }) => (
        <>
          <Foreign className="font-medium">{browserOf(agent) ?? t("sessions.unknown")}</Foreign>{" "}
          {current && <Badge tone="ok">{t("sessions.current")}</Badge>}
          {agent !== null && (
            <div className="hidden max-w-md text-xs text-muted md:block">
              <Foreign>{agent}</Foreign>
            </div>
          )}
        </>
      ),
    },
    {
      id: "address",
      title: t("sessions.address"),
      minor: true,
      cell: ({ address }) => <span className="font-mono text-xs">{address ?? t("sessions.unknown")}</span>,
    },
    { id: "created", title: t("sessions.created"), minor: true, cell: ({ created_at: at }) => dateTime(at) },
    { id: "used", title: t("sessions.used"), cell: ({ last_used_at: at }) => <Ago at={at} /> },
    { id: "expires", title: t("sessions.expires"), minor: true, cell: ({ expires_at: at }) => <Ago at={at} /> },
    {
      id: "actions",
      title: t("actions"),
      cell: (session) => (
        <Button why={session.current ? null : why} onClick={end(session)}>
          {t(session.current ? "account.signOut" : "sessions.end")}
        </Button>
      ),
    },
  ];
  return (
    <DataTable label={t("sessions.title")} rows={sessions} columns={columns} idOf={({ id }) => id} stale={stale} />
  );
}
