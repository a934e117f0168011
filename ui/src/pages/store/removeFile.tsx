import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { type StoreFile, useRemoveFile } from "../../api/storeFiles.js";
import { uploadedFile } from "../../api/uploadedFiles.js";
import { useAnnounce } from "../../parts/announcer.js";
import { Confirm } from "../../parts/dialog.js";
import { Checkbox } from "../../parts/fields.js";
import { ErrorNote, Skeleton } from "../../parts/notes.js";
import { useTexts } from "../../text/texts.js";

/** Takes a file out of a vector store; its upload stays, unless it is the caller's and they want it to go, too. */
export default function RemoveFile({ file, onClose }: { file: StoreFile; onClose: () => void }) {
  const { t } = useTexts();
  const announce = useAnnounce();
  const remove = useRemoveFile();
  const upload = useQuery(uploadedFile(file.id));
  const [everywhere, setEverywhere] = useState(false);
  const name = file.filename || file.id;
  const isBeingRead = file.status === "in_progress";
  return (
    <Confirm
      onClose={onClose}
      title={t(isBeingRead ? "store.files.stopTitle" : "store.files.removeTitle", { name })}
      about={t(isBeingRead ? "store.files.stopAbout" : "store.files.removeAbout")}
      submit={t(everywhere ? "store.files.removeBoth" : "store.files.removeNow")}
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
      {upload.isPending && <Skeleton lines={1} />}
      {upload.error !== null && <ErrorNote error={upload.error} retry={() => void upload.refetch()} />}
      {upload.data === null && <p className="text-sm text-muted">{t("store.files.othersStays")}</p>}
      {upload.data != null && (
        <>
          <p className="text-sm">{t("store.files.uploadStays")}</p>
          <Checkbox
            label={t("store.files.everywhere")}
            hint={t("store.files.everywhereHint")}
            checked={everywhere}
            onChange={(event) => {
              setEverywhere(event.target.checked);
            }}
          />
        </>
      )}
    </Confirm>
  );
}
