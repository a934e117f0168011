import { useReindex } from "../../api/storeDetail.js";
import { type ListedStore, titleOf } from "../../api/stores.js";
import { useAnnounce } from "../../parts/announcer.js";
import { FormModal } from "../../parts/dialog.js";
import { useTexts } from "../../text/texts.js";

export default function Reindex({ store, onClose }: { store: ListedStore; onClose: () => void }) {
  const { t } = useTexts();
  const announce = useAnnounce();
  const reindex = useReindex(store.id);
  return (
    <FormModal
      onClose={onClose}
      title={t("store.settings.reindexTitle", { name: titleOf(store) })}
      about={t("store.settings.reindexAbout")}
      submit={t("store.reindex")}
      busy={reindex.isPending}
      error={reindex.error}
      onSubmit={() => {
        reindex.mutate(undefined, {
          onSuccess: () => {
            announce(t("store.settings.reindexed"));
            onClose();
          },
        });
      }}
    >
      {null}
    </FormModal>
  );
}
