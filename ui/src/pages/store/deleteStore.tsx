import { useNavigate } from "react-router";
import { useDeleteThisStore } from "../../api/storeDetail.js";
import { type ListedStore, titleOf } from "../../api/stores.js";
import { useAnnounce } from "../../parts/announcer.js";
import { Confirm } from "../../parts/dialog.js";
import { useTexts } from "../../text/texts.js";

export default function DeleteStore({ store, onClose }: { store: ListedStore; onClose: () => void }) {
  const { t } = useTexts();
  const announce = useAnnounce();
  const navigate = useNavigate();
  const remove = useDeleteThisStore(store.id);
  return (
    <Confirm
      onClose={onClose}
      title={t("stores.deleteTitle", { count: 1 })}
      about={t("stores.deleteAbout")}
      typed={titleOf(store)}
      submit={t("store.settings.delete")}
      busy={remove.isPending}
      error={remove.error}
      onSubmit={() => {
        remove.mutate(undefined, {
          onSuccess: () => {
            announce(t("stores.deleted", { count: 1 }));
            onClose();
            void navigate("/vector-stores");
          },
        });
      }}
    />
  );
}
