import { Pencil } from "lucide-react";
import { Link } from "react-router";
import { type ListedStore, titleOf } from "../../api/stores.js";
import { IconButton } from "../../parts/button.js";
import { Ago } from "../../parts/ago.js";
import { bytes, number } from "../../parts/format.js";
import { Badge, Foreign } from "../../parts/notes.js";
import type { Column } from "../../parts/table.js";
import { Person } from "../people/name.js";
import { useTexts } from "../../text/texts.js";

interface ColumnsOptions {
  /** Whether all owners' vector stores are listed. */
  withOwner: boolean;
  /** Absent: nothing can be changed. */
  onEdit: ((store: ListedStore) => void) | undefined;
}

/** What the list says of each vector store. */
export function useStoreColumns({ withOwner, onEdit }: ColumnsOptions): Column<ListedStore>[] {
  const { t } = useTexts();
  const owner: Column<ListedStore> = {
    id: "owner",
    title: t("stores.owner"),
    minor: true,
    cell: ({ owner: { user_id: user, team_id: team, key_id: key } }) => (
      <div className="text-xs">
        {user !== null ? (
          <Person subject={`user:${user}`} shown={user} />
        ) : team !== null ? (
          <Person subject={`team:${team}`} shown={team} />
        ) : (
          <Foreign>{key?.slice(0, 12) ?? t("stores.service")}</Foreign>
        )}
      </div>
    ),
  };
  return [
    {
      id: "name",
      title: t("stores.name"),
      sort: "name",
      ascends: true,
      cell: (store) => (
        <div className="flex items-start gap-1">
          <div className="min-w-28 flex-1 md:min-w-40">
            <Link
              to={`/vector-stores/${store.id}`}
              className="font-medium text-accent underline-offset-2 hover:underline"
            >
              <Foreign>{titleOf(store) === store.name ? store.name : t("stores.nameless")}</Foreign>
            </Link>
            <div className="font-mono text-xs text-muted max-md:hidden">{store.id}</div>
          </div>
          {onEdit !== undefined && (
            <IconButton
              className="-my-1 text-muted"
              icon={<Pencil aria-hidden className="size-4" />}
              label={t("stores.edit", { name: titleOf(store) })}
              onClick={() => {
                onEdit(store);
              }}
            />
          )}
        </div>
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
    ...(withOwner ? [owner] : []),
    {
      id: "lastUse",
      title: t("stores.lastUse"),
      sort: "last_active_at",
      minor: true,
      cell: ({ last_active_at: at }) => (at == null ? t("never") : <Ago at={at} />),
    },
    {
      id: "expires",
      title: t("stores.expires"),
      minor: true,
      cell: ({ expires_at: at, status }) => (
        <>
          {at == null ? t("never") : <Ago at={at} />}
          {status === "expired" && (
            <div>
              <Badge tone="danger">{t("store.expired")}</Badge>
            </div>
          )}
        </>
      ),
    },
    {
      id: "created",
      title: t("stores.created"),
      sort: "created_at",
      minor: true,
      cell: ({ created_at: at }) => <Ago at={at} />,
    },
  ];
}
