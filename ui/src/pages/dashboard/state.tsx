import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { health, serviceStatus } from "../../api/status.js";
import { storeList } from "../../api/stores.js";
import { bytes, number } from "../../parts/format.js";
import { ErrorNote, Skeleton } from "../../parts/notes.js";
import { Notice } from "../../parts/notice.js";
import { Figure } from "../../parts/page.js";
import { HealthFacts, IndexFacts } from "../health/facts.js";
import { useTexts } from "../../text/texts.js";
import { Files, Ingestion, Sessions } from "./contents.js";

/** What is stored, and whether all is well. */
export function State() {
  const { t } = useTexts();
  const stores = useQuery(storeList({ limit: 1 }));
  const state = useQuery(health);
  const service = useQuery(serviceStatus);
  const contents = service.data?.contents;
  const totals = stores.data?.totals;
  return (
    <>
      {stores.error !== null && (
        <ErrorNote error={stores.error} retry={() => void stores.refetch()} busy={stores.isFetching} />
      )}
      {stores.isPending && <Skeleton lines={3} />}
      {totals != null && (
        <div className="mb-3 grid grid-cols-2 gap-3 lg:grid-cols-4">
          <Figure label={t("dashboard.stores")} value={number(totals.stores)} />
          <Figure label={t("dashboard.rows")} value={number(totals.rows)} />
          <Figure label={t("dashboard.bytes")} value={bytes(totals.bytes)} />
          {contents != null && (
            <Figure label={t("dashboard.signedIn")} value={<Sessions count={contents.sessions} />} />
          )}
        </div>
      )}
      {state.error !== null && (
        <ErrorNote error={state.error} retry={() => void state.refetch()} busy={state.isFetching} />
      )}
      {state.data !== undefined && (
        <div className="grid gap-x-6 lg:grid-cols-2">
          <HealthFacts
            of={state.data}
            proxy={service.data?.proxy}
            actions={
              <Link to="/health" className="text-sm text-accent underline-offset-2 hover:underline">
                {t("dashboard.details")}
              </Link>
            }
          />
          {state.data.indexing !== null && <IndexFacts of={state.data.indexing} />}
        </div>
      )}
      {service.error !== null && (
        <div className="mb-6">
          <ErrorNote error={service.error} retry={() => void service.refetch()} busy={service.isFetching} />
        </div>
      )}
      {contents === null && <Notice>{t("dashboard.notCounted")}</Notice>}
      {contents != null && (
        <div className="grid gap-x-6 lg:grid-cols-2">
          <Ingestion of={contents.ingestion} />
          <Files of={contents} />
        </div>
      )}
    </>
  );
}
