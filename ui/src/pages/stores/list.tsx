import { useQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { Suspense, lazy, useState } from "react";
import { useTexts } from "../../text/texts.js";
import { Link, useNavigate } from "react-router";
import { useMay } from "../../api/me.js";
import { type ListedStore, type StoreSort, storeList, titleOf } from "../../api/stores.js";
import { useUrlState } from "../../app/urlState.js";
import { Button } from "../../parts/button.js";
import { bytes, fromNow, number } from "../../parts/format.js";
import { Badge, Empty, ErrorNote, Foreign, Skeleton } from "../../parts/notes.js";
import { Page } from "../../parts/page.js";
import { Pager } from "../../parts/pager.js";
import { type Column, DataTable } from "../../parts/table.js";
import { StoreFilters } from "./filters.js";

// Dialogs are not part of what is loaded first.
const BulkActions = lazy(() => import("./bulk.js"));
const CreateStore = lazy(() => import("./create.js"));

export const usualList = { name: "", owner: "", sort: "created_at", order: "desc", page: "" };

/** The vector stores that somebody may see. */
export function Component() {
  const { t } = useTexts();
  const navigate = useNavigate();
  const mayWrite = useMay("store:write");
  const isAdmin = useMay("admin:read");
  const [shown, show] = useUrlState(usualList);
  const [creating, setCreating] = useState(false);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const { name, owner, sort, order, page } = shown;
  const { data, error, isPending, isPlaceholderData, isFetching, refetch } = useQuery(
    storeList({
      sort: sort as StoreSort,
      order: order as "asc" | "desc",
      ...(name !== "" && { name }),
      ...(owner !== "" && { owner }),
      ...(page !== "" && { page }),
    }),
  );
  const columns = useColumns(isAdmin);
  const create = (
    <Button
      look="primary"
      icon={<Plus aria-hidden className="size-4" />}
      why={mayWrite ? null : t("stores.mayNot")}
      onClick={() => {
        setCreating(true);
      }}
    >
      {t("stores.create")}
    </Button>
  );
  const selected = data?.data.filter(({ id }) => chosen.has(id)) ?? [];
  const totals = data?.totals;
  const isFiltered = name !== "" || owner !== "";
  return (
    <Page
      title={t("stores.title")}
      actions={create}
      about={
        totals != null
          ? t("stores.about", { count: totals.stores, rows: number(totals.rows), bytes: bytes(totals.bytes) })
          : undefined
      }
    >
      <StoreFilters shown={shown} show={show} withOwner={isAdmin} />
      {error !== null && <ErrorNote error={error} retry={() => void refetch()} busy={isFetching} />}
      {isPending && <Skeleton lines={8} />}
      {data?.data.length === 0 && (
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
          <Suspense>{selected.length > 0 && <BulkActions stores={selected} done={setChosen} />}</Suspense>
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
      </Suspense>
    </Page>
  );
}

function useColumns(isAdmin: boolean): Column<ListedStore>[] {
  const { t } = useTexts();
  const owner: Column<ListedStore> = {
    id: "owner",
    title: t("stores.owner"),
    minor: true,
    cell: ({ owner: { user_id: user, team_id: team, key_id: key } }) => (
      <Foreign className="text-xs">{user ?? team ?? key?.slice(0, 12) ?? t("stores.service")}</Foreign>
    ),
  };
  return [
    {
      id: "name",
      title: t("stores.name"),
      sort: "name",
      ascends: true,
      cell: ({ id, name }) => (
        <>
          <Link to={`/vector-stores/${id}`} className="font-medium text-accent underline-offset-2 hover:underline">
            <Foreign>{name || t("stores.nameless")}</Foreign>
          </Link>
          <div className="min-w-40 font-mono text-xs text-muted">{id}</div>
        </>
      ),
    },
    {
      id: "files",
      title: t("stores.files"),
      numeric: true,
      cell: ({ file_counts: { total, failed, in_progress: inProgress } }) => (
        <span className="inline-flex flex-wrap justify-end gap-1.5">
          {failed > 0 && <Badge tone="danger">{t("stores.failed", { count: failed })}</Badge>}
          {inProgress > 0 && <Badge tone="accent">{t("stores.inProgress", { count: inProgress })}</Badge>}
          {number(total)}
        </span>
      ),
    },
    { id: "rows", title: t("stores.rows"), numeric: true, sort: "rows", cell: ({ rows }) => number(rows) },
    { id: "size", title: t("stores.size"), numeric: true, sort: "bytes", cell: (store) => bytes(store.bytes) },
    {
      id: "model",
      title: t("stores.model"),
      minor: true,
      cell: ({ embedding_model: model }) => <Foreign className="text-xs">{model}</Foreign>,
    },
    ...(isAdmin ? [owner] : []),
    {
      id: "lastUse",
      title: t("stores.lastUse"),
      sort: "last_active_at",
      minor: true,
      cell: ({ last_active_at: at }) => (at == null ? t("never") : fromNow(at)),
    },
    {
      id: "expires",
      title: t("stores.expires"),
      minor: true,
      cell: ({ expires_at: at }) => (at == null ? t("never") : fromNow(at)),
    },
    {
      id: "created",
      title: t("stores.created"),
      sort: "created_at",
      minor: true,
      cell: ({ created_at: at }) => fromNow(at),
    },
  ];
}
