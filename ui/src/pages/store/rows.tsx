import { useQuery } from "@tanstack/react-query";
import { ListFilterPlus, Pencil, Plus, Trash2 } from "lucide-react";
import { type SubmitEvent, Suspense, lazy, useState } from "react";
import { Link } from "react-router";
import { type Row, rowList } from "../../api/rows.js";
import { useFirstPage, useUrlState } from "../../app/urlState.js";
import { Button, IconButton } from "../../parts/button.js";
import { Ago } from "../../parts/ago.js";
import { Empty, ErrorNote, Foreign, Skeleton } from "../../parts/notes.js";
import { Pager } from "../../parts/pager.js";
import { type Column, DataTable } from "../../parts/table.js";
import { useTexts } from "../../text/texts.js";
import { useStore, useWhyNot } from "./context.js";
import { FilterField } from "./filterField.js";
import { Pairs } from "./overview.js";
import { type FilterState, useFilter } from "./useFilter.js";

const RowDialog = lazy(() => import("./rowDialog.js"));
const DeleteRows = lazy(() => import("./deleteRows.js"));

const usual = { filters: "", page: "" };

/** What is asked about: a row to change, `new`, or rows to delete. */
type Asked = { change: Row | "new" } | { ids: string[] } | { filters: string };

/** The rows of a vector store. */
export function Component() {
  const { t } = useTexts();
  const { store } = useStore();
  const why = useWhyNot("write");
  const [{ filters, page }, show] = useUrlState(usual);
  const filter = useFilter(filters);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [asked, setAsked] = useState<Asked | null>(null);
  const query = useQuery(rowList(store.id, { filters, after: page }));
  const { data } = query;
  const isLeaving = useFirstPage(query.error, page, show);
  const error = isLeaving ? null : query.error;
  const columns = useColumns(why, setAsked);
  const add = (
    <Button
      look="primary"
      icon={<Plus aria-hidden className="size-4" />}
      why={why}
      onClick={() => {
        setAsked({ change: "new" });
      }}
    >
      {t("store.rows.add")}
    </Button>
  );
  const ids = data?.data.flatMap(({ id }) => (chosen.has(id) ? [id] : [])) ?? [];
  const close = () => {
    setAsked(null);
  };
  return (
    <>
      <RowFilter filters={filters} filter={filter} show={show} />
      <div className="mb-3 flex flex-wrap items-center gap-2">
        {add}
        {filters !== "" && (
          <Button
            icon={<ListFilterPlus aria-hidden className="size-4" />}
            // Only rows that somebody has seen: those of the filter in the address.
            why={why ?? (filter.isShown ? null : t("store.rows.applyFirst"))}
            onClick={() => {
              setAsked({ filters });
            }}
          >
            {t("store.rows.deleteMatching")}
          </Button>
        )}
        {ids.length > 0 && (
          <Button
            icon={<Trash2 aria-hidden className="size-4" />}
            onClick={() => {
              setAsked({ ids });
            }}
          >
            {t("store.rows.deleteChosen", { count: ids.length })}
          </Button>
        )}
      </div>
      {error !== null && <ErrorNote error={error} retry={() => void query.refetch()} busy={query.isFetching} />}
      {(query.isPending || isLeaving) && <Skeleton lines={8} />}
      {data?.data.length === 0 && (
        <Empty
          title={t(filters === "" ? "store.rows.none" : "store.rows.noMatch")}
          action={filters === "" ? add : undefined}
        >
          {filters === "" ? t("store.rows.noneAbout") : undefined}
        </Empty>
      )}
      {data !== undefined && data.data.length > 0 && (
        <>
          <DataTable
            label={t("store.tabs.rows")}
            rows={data.data}
            columns={columns}
            idOf={({ id }) => id}
            stale={query.isPlaceholderData}
            {...(why === null && {
              choosing: { chosen, onChoose: setChosen, nameOf: ({ id }: Row) => id, may: isOwn },
            })}
          />
          <Pager what={t("store.tabs.rows")} next={data.has_more ? data.last_id : null} />
        </>
      )}
      <Suspense>
        {asked !== null && "change" in asked && <RowDialog storeId={store.id} row={asked.change} onClose={close} />}
        {asked !== null && !("change" in asked) && (
          <DeleteRows
            storeId={store.id}
            which={asked}
            onClose={close}
            onDone={() => {
              setChosen(new Set());
              show({ page: "" });
            }}
          />
        )}
      </Suspense>
    </>
  );
}

interface RowFilterProps {
  /** As the address has it. */
  filters: string;
  filter: FilterState;
  show: (change: { filters: string }) => void;
}

function RowFilter({ filters, filter, show }: RowFilterProps) {
  const { t } = useTexts();
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const next = filter.ready();
    if (next !== null) show({ filters: next });
  };
  return (
    <form role="search" onSubmit={submit} className="mb-4 flex flex-col items-start gap-2 [&>fieldset]:w-full">
      <FilterField filter={filter} />
      <div className="flex gap-2">
        <Button type="submit">{t("store.filter.apply")}</Button>
        {filters !== "" && (
          <Button
            onClick={() => {
              show({ filters: "" });
            }}
          >
            {t("store.filter.clear")}
          </Button>
        )}
      </div>
    </form>
  );
}

/** A chunk of a file changes and leaves only with it. */
const isOwn = (row: Row): boolean => row.file_id === undefined;

/** A text may be of megabytes. */
const preview = (text: string): string => (text.length > 400 ? `${text.slice(0, 400)}…` : text);

function useColumns(why: string | null, ask: (asked: Asked) => void): Column<Row>[] {
  const { t } = useTexts();
  return [
    {
      id: "content",
      title: t("store.rows.content"),
      cell: ({ id, content, vector_store_id: storeId, file_id: fileId }) => (
        <div className="min-w-48">
          <Foreign className="line-clamp-3">{preview(content)}</Foreign>
          <div className="font-mono text-xs text-muted">
            <Foreign>{id}</Foreign>
          </div>
          {fileId !== undefined && (
            <Link
              to={`/vector-stores/${storeId}/files/${fileId}`}
              className="text-xs text-accent underline-offset-2 hover:underline"
            >
              {t("store.rows.ofFile")}
            </Link>
          )}
        </div>
      ),
    },
    {
      id: "metadata",
      title: t("store.metadata"),
      minor: true,
      cell: ({ metadata }) => <Pairs of={metadata} most={6} />,
    },
    { id: "created", title: t("stores.created"), minor: true, cell: ({ created_at: at }) => <Ago at={at} /> },
    {
      id: "actions",
      title: t("store.files.actions"),
      cell: (row) => (
        <span className="-my-1 flex justify-end">
          <IconButton
            icon={<Pencil aria-hidden className="size-4" />}
            label={t("store.rows.change", { id: row.id })}
            why={why ?? (isOwn(row) ? null : t("store.rows.changesWithFile"))}
            onClick={() => {
              ask({ change: row });
            }}
          />
          <IconButton
            icon={<Trash2 aria-hidden className="size-4" />}
            label={t("store.rows.delete", { id: row.id })}
            why={why ?? (isOwn(row) ? null : t("store.rows.changesWithFile"))}
            onClick={() => {
              ask({ ids: [row.id] });
            }}
          />
        </span>
      ),
    },
  ];
}
