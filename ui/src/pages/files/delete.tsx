import { type UploadedFile, useDeleteFiles } from "../../api/uploadedFiles.js";
import { useAnnounce } from "../../parts/announcer.js";
import { Confirm } from "../../parts/dialog.js";
import { Concerned } from "../../parts/outcome.js";
import { useTexts } from "../../text/texts.js";
import { titleOf } from "./columns.js";

interface DeleteFilesProps {
  files: readonly UploadedFile[];
  /** These are no longer there. */
  onDone: (ids: ReadonlySet<string>) => void;
  onClose: () => void;
}

/** Asks before files go, with all that was read from them. What did not go stays chosen, with the reason. */
export default function DeleteFiles({ files, onDone, onClose }: DeleteFilesProps) {
  const { t } = useTexts();
  const announce = useAnnounce();
  const remove = useDeleteFiles();
  const gone = remove.data?.done;
  const left = gone === undefined ? files : files.filter(({ id }) => !gone.has(id));
  const count = left.length;
  return (
    <Confirm
      onClose={onClose}
      title={t("files.deleteTitle", { count })}
      about={t("files.deleteAbout")}
      {...(count > 1 && { typed: t("files.deleteWord", { count }) })}
      submit={t("files.delete", { count })}
      busy={remove.isPending}
      error={remove.error ?? (files.length === 1 ? (remove.data?.failed[0]?.error ?? null) : null)}
      onSubmit={() => {
        remove.mutate(
          left.map(({ id }) => id),
          {
            onSuccess: ({ done, failed }) => {
              onDone(done);
              if (failed.length > 0) return;
              onClose();
              announce(t("files.deleted", { count: done.size }));
            },
          },
        );
      }}
    >
      <Concerned
        label={t("files.title")}
        things={left.map((file) => ({ id: file.id, title: titleOf(file) }))}
        outcome={files.length === 1 ? undefined : remove.data}
      />
    </Confirm>
  );
}
