import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { health } from "../../api/status.js";
import { storeList } from "../../api/stores.js";
import { bytes, number } from "../../parts/format.js";
import { ErrorNote, Skeleton } from "../../parts/notes.js";
import { Figure } from "../../parts/page.js";
import { HealthFacts, IndexFacts } from "../health/facts.js";
import { useTexts } from "../../text/texts.js";

/** What is stored, and whether all is well. */
export function State() {
  const { t } = useTexts();
  const stores = useQuery(storeList({ limit: 1 }));
  const state = useQuery(health);
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
        </div>
      )}
      {state.error !== null && (
        <ErrorNote error={state.error} retry={() => void state.refetch()} busy={state.isFetching} />
      )}
      {state.data !== undefined && (
        <div className="grid gap-x-6 lg:grid-cols-2">
          <HealthFacts
            of={state.data}
            actions={
              <Link to="/health" className="text-sm text-accent underline-offset-2 hover:underline">
                {t("dashboard.details")}
              </Link>
            }
          />
          {state.data.indexing !== null && <IndexFacts of={state.data.indexing} />}
        </div>
      )}
    </>
  );
}
