import { useQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { Suspense, lazy, useState } from "react";
import { litellmKeys } from "../../../api/litellmKeys.js";
import { useMay, useMe } from "../../../api/me.js";
import { useFirstPage, useUrlState } from "../../../app/urlState.js";
import { Button } from "../../../parts/button.js";
import { number } from "../../../parts/format.js";
import { Empty, ErrorNote, Skeleton } from "../../../parts/notes.js";
import { Notice } from "../../../parts/notice.js";
import { Page } from "../../../parts/page.js";
import { Pager } from "../../../parts/pager.js";
import { useTexts } from "../../../text/texts.js";
import { KeyKinds } from "../kinds.js";
import { LitellmKeyFilters } from "./filters.js";
import { LitellmKeyTable } from "./table.js";

const CreateLitellmKey = lazy(() => import("./create.js"));

export const usualKeys = { user_id: "", team_id: "", alias: "", page: "" };

/** LiteLLM's virtual keys. */
export function Component() {
  const { t } = useTexts();
  const { features } = useMe();
  const why = useMay("admin:write") ? null : t("mayOnlyLook");
  const [creating, setCreating] = useState(false);
  const create = (
    <Button
      look="primary"
      icon={<Plus aria-hidden className="size-4" />}
      why={features.litellm_management ? why : t("people.needsMaster")}
      onClick={() => {
        setCreating(true);
      }}
    >
      {t("keys.create")}
    </Button>
  );
  return (
    <Page title={t("keys.litellmTitle")} about={t("keys.litellmAbout")} actions={create}>
      <KeyKinds current="/keys/litellm" />
      {features.litellm_management ? <Keys /> : <Notice>{t("keys.litellmOff")}</Notice>}
      <Suspense>
        {creating && (
          <CreateLitellmKey
            onClose={() => {
              setCreating(false);
            }}
          />
        )}
      </Suspense>
    </Page>
  );
}

function Keys() {
  const { t } = useTexts();
  const [shown, show] = useUrlState(usualKeys);
  const query = Object.fromEntries(Object.entries(shown).filter(([, value]) => value !== ""));
  const { data, error, isPending, isFetching, isPlaceholderData, refetch } = useQuery(litellmKeys(query));
  const isLeaving = useFirstPage(error, shown.page, show);
  const isFiltered = shown.user_id !== "" || shown.team_id !== "" || shown.alias !== "";
  return (
    <>
      <LitellmKeyFilters shown={shown} show={show} />
      {error !== null && !isLeaving && <ErrorNote error={error} retry={() => void refetch()} busy={isFetching} />}
      {(isPending || isLeaving) && <Skeleton />}
      {data?.data.length === 0 && (
        <Empty
          title={t(isFiltered ? "keys.noMatch" : "keys.empty")}
          action={
            isFiltered && (
              <Button
                onClick={() => {
                  show({ user_id: "", team_id: "", alias: "" });
                }}
              >
                {t("stores.clear")}
              </Button>
            )
          }
        />
      )}
      {data !== undefined && data.data.length > 0 && (
        <>
          <p className="mb-2 text-sm text-muted">{t("keys.total", { count: data.total, shown: number(data.total) })}</p>
          <LitellmKeyTable keys={data.data} stale={isPlaceholderData} />
          <Pager what={t("keys.litellmTitle")} next={data.next_page} />
        </>
      )}
    </>
  );
}
