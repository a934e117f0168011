import { useQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { Suspense, lazy, useState } from "react";
import { useTexts } from "../../text/texts.js";
import { useNavigate } from "react-router";
import { useMay, useMe } from "../../api/me.js";
import {
  type ListedStore,
  type StoreSort,
  isOwner,
  storeList,
  storeSorts,
  storeTotals,
  titleOf,
} from "../../api/stores.js";
import { useFirstPage, useUrlState } from "../../app/urlState.js";
import { Button } from "../../parts/button.js";
import { bytes } from "../../parts/format.js";
import { Empty, ErrorNote, Skeleton } from "../../parts/notes.js";
import { Page } from "../../parts/page.js";
import { Pager } from "../../parts/pager.js";
import { DataTable } from "../../parts/table.js";
import { useStoreColumns } from "./columns.js";
import { StoreFilters } from "./filters.js";

// Dialogs are not part of what is loaded first.
const BulkActions = lazy(() => import("./bulk.js"));
const CreateStore = lazy(() => import("./create.js"));
const EditStore = lazy(() => import("./edit.js"));

export const usualList = { name: "", owner: "", sort: "created_at", order: "desc", page: "" };
const known = { sort: storeSorts, order: ["asc", "desc"], owner: isOwner };

/** The vector stores that somebody may see. */
export function Component() {
  const { t } = useTexts();
  const navigate = useNavigate();
  const mayWrite = useMay("store:write");
  const isAdmin = useMay("admin:read");
  const { vector_store_ids: only } = useMe();
  const [shown, show] = useUrlState(usualList, known);
  const [creating, setCreating] = useState(false);
  const [editing, setEditing] = useState<ListedStore | null>(null);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const { name, owner, sort, order, page } = shown;
  const filter = { ...(name !== "" && { name }), ...(owner !== "" && { owner }) };
  const { data, error, isPending, isPlaceholderData, isFetching, refetch } = useQuery(
    storeList({
      sort: sort as StoreSort,
      order: order as "asc" | "desc",
      ...filter,
      ...(page !== "" && { page }),
    }),
  );
  const columns = useStoreColumns({ withOwner: isAdmin, onEdit: mayWrite ? setEditing : undefined });
  // All that was on the last page is gone, while there may be more before it.
  const isLeaving = useFirstPage(error, page, show, data?.data.length === 0 && !isPlaceholderData);
  // Only the first page counts all.
  const counted = useQuery({ ...storeTotals(filter), enabled: page !== "" });
  const create = (
    <Button
      look="primary"
      icon={<Plus aria-hidden className="size-4" />}
      why={mayWrite ? (only === null ? null : t("stores.onlySome", { count: only.length })) : t("stores.mayNot")}
      onClick={() => {
        setCreating(true);
      }}
    >
      {t("stores.create")}
    </Button>
  );
  const selected = data?.data.filter(({ id }) => chosen.has(id)) ?? [];
  const leave = (done: ReadonlySet<string>) => {
    setChosen((before) => new Set([...before].filter((id) => !done.has(id))));
  };
  const totals = data?.totals ?? counted.data?.totals;
  const isFiltered = name !== "" || owner !== "";
  return (
    <Page
      title={t("stores.title")}
      actions={create}
      about={
        totals != null
          ? t("stores.about", {
              count: totals.stores,
              rows: t("stores.rowCount", { count: totals.rows }),
              bytes: bytes(totals.bytes),
            })
          : undefined
      }
    >
      <StoreFilters shown={shown} show={show} withOwner={isAdmin} />
      {error !== null && !isLeaving && <ErrorNote error={error} retry={() => void refetch()} busy={isFetching} />}
      {(isPending || isLeaving) && <Skeleton lines={8} />}
      {data?.data.length === 0 && !isLeaving && (
        <Empty
          title={t(isFiltered ? "stores.noMatch" : "stores.none")}
          action={
            isFiltered ? (
              <Button
                onClick={() => {
                  show({ name: "", owner: "" });
                }}
              >
                {t("stores.clear")}
              </Button>
            ) : (
              create
            )
          }
        >
          {t(isFiltered ? "stores.noMatchAbout" : "stores.noneAbout")}
        </Empty>
      )}
      {data !== undefined && data.data.length > 0 && (
        <>
          <Suspense>{selected.length > 0 && <BulkActions stores={selected} onDone={leave} />}</Suspense>
          <DataTable
            label={t("stores.title")}
            rows={data.data}
            columns={columns}
            idOf={({ id }) => id}
            stale={isPlaceholderData}
            sorting={{
              by: sort,
              order: order as "asc" | "desc",
              onSort: (by, direction) => {
                show({ sort: by, order: direction });
              },
            }}
            {...(mayWrite && {
              choosing: { chosen, onChoose: setChosen, nameOf: titleOf },
            })}
          />
          <Pager what={t("stores.title")} next={data.next_page} />
        </>
      )}
      <Suspense>
        {creating && (
          <CreateStore
            onClose={() => {
              setCreating(false);
            }}
            onCreated={(id) => {
              void navigate(`/vector-stores/${id}`);
            }}
          />
        )}
        {editing !== null && (
          <EditStore
            store={editing}
            onClose={() => {
              setEditing(null);
            }}
          />
        )}
      </Suspense>
    </Page>
  );
}
