import { type ListedStore, useUpdateStore } from "../../api/stores.js";
import { useAnnounce } from "../../parts/announcer.js";
import { Button } from "../../parts/button.js";
import { ErrorNote } from "../../parts/notes.js";
import { Notice } from "../../parts/notice.js";
import { useTexts } from "../../text/texts.js";

/** Says what an expired vector store refuses, and brings it back: any change does, also one of nothing. */
export default function UseAgain({ store, why }: { store: ListedStore; why: string | null }) {
  const { t } = useTexts();
  const announce = useAnnounce();
  const update = useUpdateStore(store.id);
  const again = (
    <Button
      why={why}
      busy={update.isPending}
      onClick={() => {
        // Not a callback of `mutate`: this is gone as soon as the store is back.
        void update.mutateAsync({}).then(
          () => {
            announce(t("stores.usedAgain", { count: 1 }));
          },
          () => undefined,
        );
      }}
    >
      {t("stores.useAgain")}
    </Button>
  );
  return (
    <Notice action={again}>
      {t("stores.expiredAbout")}
      {update.error !== null && (
        <div className="mt-2">
          <ErrorNote error={update.error} />
        </div>
      )}
    </Notice>
  );
}
