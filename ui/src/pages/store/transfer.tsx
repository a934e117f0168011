import { useState } from "react";
import { useTransfer } from "../../api/permissions.js";
import { type ListedStore, titleOf } from "../../api/stores.js";
import { useAnnounce } from "../../parts/announcer.js";
import { Confirm } from "../../parts/dialog.js";
import { useTexts } from "../../text/texts.js";
import { SubjectField, idOf, nameOf, nobody, useSearches } from "./subject.js";

/** Gives a vector store to somebody else, who can give it back; the one who gave it cannot. */
export default function Transfer({ store, onClose }: { store: ListedStore; onClose: () => void }) {
  const { t } = useTexts();
  const announce = useAnnounce();
  const transfer = useTransfer(store.id);
  const [whom, setWhom] = useState(nobody);
  const id = idOf(whom, useSearches());
  return (
    <Confirm
      onClose={onClose}
      title={t("store.share.transferTitle", { name: titleOf(store) })}
      about={t("store.share.transferAbout")}
      typed={titleOf(store)}
      submit={t("store.share.transfer")}
      why={id === "" ? t("store.share.noSubject") : null}
      busy={transfer.isPending}
      error={transfer.error}
      onSubmit={() => {
        transfer.mutate(whom.kind === "team" ? { team_id: id } : { user_id: id }, {
          onSuccess: () => {
            announce(t("store.share.transferred", { to: nameOf(whom, `${whom.kind}:${id}`) }));
            onClose();
          },
        });
      }}
    >
      <SubjectField kinds={["user", "team"]} value={whom} onChange={setWhom} />
    </Confirm>
  );
}
