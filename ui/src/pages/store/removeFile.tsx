import { useState } from "react";
import { type StoreFile, useRemoveFile } from "../../api/storeFiles.js";
import { useAnnounce } from "../../parts/announcer.js";
import { Confirm } from "../../parts/dialog.js";
import { Checkbox } from "../../parts/fields.js";
import { useTexts } from "../../text/texts.js";

export default function RemoveFile({ file, onClose }: { file: StoreFile; onClose: () => void }) {
  const { t } = useTexts();
  const announce = useAnnounce();
  const remove = useRemoveFile();
  const [everywhere, setEverywhere] = useState(false);
  const name = file.filename || file.id;
  return (
    <Confirm
      onClose={onClose}
      title={t("store.files.removeTitle", { name })}
      about={t("store.files.removeAbout")}
      submit={t("store.files.removeNow")}
      busy={remove.isPending}
      error={remove.error}
      onSubmit={() => {
        remove.mutate(
          { file, everywhere },
          {
            onSuccess: () => {
              announce(t("store.files.removed", { name }));
              onClose();
            },
          },
        );
      }}
    >
      <Checkbox
        label={t("store.files.everywhere")}
        hint={t("store.files.everywhereHint")}
        checked={everywhere}
        onChange={(event) => {
          setEverywhere(event.target.checked);
        }}
      />
    </Confirm>
  );
}
