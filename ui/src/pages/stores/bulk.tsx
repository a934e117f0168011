import { Trash2 } from "lucide-react";
import { useState } from "react";
import { useTexts } from "../../text/texts.js";
import { type ListedStore, titleOf, useDeleteStore } from "../../api/stores.js";
import { useAnnounce } from "../../parts/announcer.js";
import { Button } from "../../parts/button.js";
import { Confirm } from "../../parts/dialog.js";
import { Foreign } from "../../parts/notes.js";

interface BulkProps {
  stores: readonly ListedStore[];
  /** What stays chosen. */
  done: (left: ReadonlySet<string>) => void;
}

/** What can be done with all chosen vector stores. */
export default function BulkActions({ stores, done }: BulkProps) {
  const { t } = useTexts();
  const announce = useAnnounce();
  const remove = useDeleteStore();
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const [first] = stores;
  const count = stores.length;
  const removeAll = async () => {
    setBusy(true);
    const left = new Set(stores.map(({ id }) => id));
    try {
      for (const { id } of stores) {
        await remove.mutateAsync(id);
        left.delete(id);
      }
      announce(t("stores.deleted", { count }));
      setAsking(false);
    } catch (failure) {
      setError(failure as Error);
    } finally {
      setBusy(false);
      done(left);
    }
  };
  return (
    <div className="mb-3 flex flex-wrap items-center gap-3 text-sm">
      <span role="status">{t("table.chosen", { count })}</span>
      <Button
        icon={<Trash2 aria-hidden className="size-4" />}
        onClick={() => {
          setError(null);
          setAsking(true);
        }}
      >
        {t("stores.delete", { count })}
      </Button>
      {asking && (
        <Confirm
          onClose={() => {
            setAsking(false);
          }}
          title={t("stores.deleteTitle", { count })}
          about={t("stores.deleteAbout")}
          typed={first !== undefined && count === 1 ? titleOf(first) : t("stores.deleteWord", { count })}
          submit={t("stores.delete", { count })}
          busy={busy}
          error={error}
          onSubmit={() => void removeAll()}
        >
          <ul className="max-h-40 list-disc overflow-auto pl-5 text-sm">
            {stores.map((store) => (
              <li key={store.id}>
                <Foreign>{titleOf(store)}</Foreign>
              </li>
            ))}
          </ul>
        </Confirm>
      )}
    </div>
  );
}
