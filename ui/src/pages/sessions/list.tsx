import { useQuery } from "@tanstack/react-query";
import { Suspense, lazy, useState } from "react";
import { useMay } from "../../api/me.js";
import { type Session, allSessions, ownSessions } from "../../api/sessions.js";
import { type Show, useFirstPage, useUrlState } from "../../app/urlState.js";
import { Button } from "../../parts/button.js";
import { ErrorNote, Skeleton } from "../../parts/notes.js";
import { Page } from "../../parts/page.js";
import { Pager } from "../../parts/pager.js";
import { Switch } from "../../parts/switch.js";
import { useTexts } from "../../text/texts.js";
import { OwnLimits } from "./ownLimits.js";
import { SessionTable } from "./table.js";

const EndSessions = lazy(() => import("./end.js"));

const usual = { whose: "own", page: "" };

/** Where somebody is signed in to this page; administrators see everybody's. */
export function Component() {
  const { t } = useTexts();
  const isAdmin = useMay("admin:read");
  const mayRead = useMay("store:read");
  const [shown, show] = useUrlState(usual);
  const all = isAdmin && shown.whose === "all";
  return (
    <Page
      title={t("sessions.title")}
      about={t(all ? "sessions.aboutAll" : "sessions.about")}
      actions={
        isAdmin && (
          <Switch
            label={t("sessions.whose")}
            options={[
              ["own", t("sessions.own")],
              ["all", t("sessions.all")],
            ]}
            value={all ? "all" : "own"}
            onChange={(whose) => {
              show({ whose });
            }}
          />
        )
      }
    >
      {all ? <Everybodys page={shown.page} show={show} /> : <Own />}
      {!all && mayRead && <OwnLimits />}
    </Page>
  );
}

function Own() {
  const { t } = useTexts();
  const { data, error, isPending, isFetching, refetch } = useQuery(ownSessions);
  const [ending, setEnding] = useState<readonly Session[] | null>(null);
  const others = data?.data.filter(({ current }) => !current) ?? [];
  return (
    <>
      {error !== null && <ErrorNote error={error} retry={() => void refetch()} busy={isFetching} />}
      {isPending && <Skeleton />}
      {data !== undefined && (
        <>
          <SessionTable
            sessions={data.data}
            end={(session) => () => {
              setEnding([session]);
            }}
          />
          <div className="mt-4 mb-6">
            <Button
              why={others.length === 0 ? t("sessions.noOthers") : null}
              onClick={() => {
                setEnding(others);
              }}
            >
              {t("sessions.endOthers")}
            </Button>
          </div>
        </>
      )}
      <Suspense>
        {ending !== null && (
          <EndSessions
            whose="own"
            sessions={ending}
            onClose={() => {
              setEnding(null);
            }}
          />
        )}
      </Suspense>
    </>
  );
}

function Everybodys({ page, show }: { page: string; show: Show<typeof usual> }) {
  const { t } = useTexts();
  const mayEnd = useMay("admin:write");
  const { data, error, isPending, isFetching, isPlaceholderData, refetch } = useQuery(
    allSessions(page === "" ? {} : { after: page }),
  );
  const isLeaving = useFirstPage(error, page, show);
  const [ending, setEnding] = useState<Session | null>(null);
  return (
    <>
      {error !== null && !isLeaving && <ErrorNote error={error} retry={() => void refetch()} busy={isFetching} />}
      {(isPending || isLeaving) && <Skeleton />}
      {data !== undefined && (
        <>
          <SessionTable
            sessions={data.data}
            stale={isPlaceholderData}
            why={mayEnd ? null : t("mayOnlyLook")}
            end={(session) => () => {
              setEnding(session);
            }}
            withName
          />
          <Pager what={t("sessions.title")} next={data.has_more ? data.last_id : null} />
        </>
      )}
      <Suspense>
        {ending !== null && (
          <EndSessions
            whose="all"
            sessions={[ending]}
            onClose={() => {
              setEnding(null);
            }}
          />
        )}
      </Suspense>
    </>
  );
}
