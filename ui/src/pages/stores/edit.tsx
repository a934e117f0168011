import { useState } from "react";
import { messagesIn } from "../../api/failure.js";
import { type ListedStore, titleOf, useUpdateStore } from "../../api/stores.js";
import { useAnnounce } from "../../parts/announcer.js";
import { FormModal } from "../../parts/dialog.js";
import { TextField } from "../../parts/fields.js";
import { useTexts } from "../../text/texts.js";
import { ExpiryFields, expiryOf, isExpiry, sentExpiry } from "./expiry.js";

/** Renames a vector store or sets its expiry. What was not changed is not sent: somebody else may have changed it. */
export default function EditStore({ store, onClose }: { store: ListedStore; onClose: () => void }) {
  const { t } = useTexts();
  const announce = useAnnounce();
  const update = useUpdateStore(store.id);
  // As it was when the dialog opened, whatever comes of the list meanwhile.
  const [before] = useState({ name: store.name, expiry: expiryOf(store) });
  const [name, setName] = useState(before.name);
  const [expiry, setExpiry] = useState(before.expiry);
  const [renamed, moved] = [name !== before.name, daysOf(expiry) !== daysOf(before.expiry)];
  const wrongAt = messagesIn(update.error);
  return (
    <FormModal
      onClose={onClose}
      title={t("stores.editTitle", { name: titleOf(store) })}
      submit={t("save")}
      busy={update.isPending}
      why={
        !isExpiry(expiry)
          ? t("stores.expiryWrong")
          : renamed || moved || store.status === "expired"
            ? null
            : t("stores.unchanged")
      }
      error={update.error}
      onSubmit={() => {
        update.mutate(
          { ...(renamed && { name }), ...(moved && { expires_after: sentExpiry(expiry) }) },
          {
            onSuccess: (saved) => {
              onClose();
              announce(t("stores.edited", { name: titleOf(saved) }));
            },
          },
        );
      }}
    >
      <TextField
        label={t("stores.name")}
        autoFocus
        value={name}
        error={wrongAt("name")}
        onChange={(event) => {
          setName(event.target.value);
        }}
      />
      <ExpiryFields value={expiry} onChange={setExpiry} error={wrongAt("expires_after")} />
    </FormModal>
  );
}

const daysOf = (expiry: Parameters<typeof sentExpiry>[0]) => sentExpiry(expiry)?.days ?? null;
