import { useDeleteRows } from "../../api/rows.js";
import { useAnnounce } from "../../parts/announcer.js";
import { Confirm } from "../../parts/dialog.js";
import { marked } from "../../text/marked.js";
import { useTexts } from "../../text/texts.js";
import { filtersOf } from "./filter.js";

interface DeleteRowsProps {
  storeId: string;
  which: { ids: string[] } | { filters: string };
  onClose: () => void;
  onDone: () => void;
}

/** Asks before rows are deleted; before those of a filter, which may be many, with words to type. */
export default function DeleteRows({ storeId, which, onClose, onDone }: DeleteRowsProps) {
  const { t } = useTexts();
  const announce = useAnnounce();
  const remove = useDeleteRows(storeId);
  const filters = "filters" in which ? filtersOf(which.filters) : undefined;
  const count = "ids" in which ? which.ids.length : 0;
  const typed =
    "ids" in which ? (count > 1 ? t("store.rows.deleteWord", { count }) : null) : t("store.rows.deleteAllWord");
  const submit = () => {
    const chosen = "ids" in which ? which : filters === undefined ? null : { filters };
    if (chosen === null) return;
    remove.mutate(chosen, {
      onSuccess: ({ deleted }) => {
        announce(t("store.rows.deleted", { count: deleted }));
        onDone();
        onClose();
      },
    });
  };
  return (
    <Confirm
      onClose={onClose}
      title={"ids" in which ? t("store.rows.deleteTitle", { count }) : t("store.rows.deleteMatchingTitle")}
      about={t("store.rows.deleteAbout")}
      {...(typed !== null && { typed })}
      submit={t("store.rows.deleteNow")}
      busy={remove.isPending}
      error={remove.error}
      onSubmit={submit}
    >
      {"filters" in which && (
        <pre className="foreign max-h-40 overflow-auto rounded bg-hover p-2 text-xs whitespace-pre-wrap">
          {marked(which.filters)}
        </pre>
      )}
    </Confirm>
  );
}
