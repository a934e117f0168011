import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { filesToChoose, useAttachFiles } from "../../api/uploadedFiles.js";
import { useAnnounce } from "../../parts/announcer.js";
import { Button } from "../../parts/button.js";
import { FormModal } from "../../parts/dialog.js";
import { Checkbox } from "../../parts/fields.js";
import { bytes, dateTime } from "../../parts/format.js";
import { Empty, ErrorNote, Foreign, Skeleton } from "../../parts/notes.js";
import { useTexts } from "../../text/texts.js";

/** Adds files that were uploaded before, so that nobody has to send them twice. */
export default function AttachFiles({ storeId, onClose }: { storeId: string; onClose: () => void }) {
  const { t } = useTexts();
  const announce = useAnnounce();
  const attach = useAttachFiles(storeId);
  const { data, error, isPending, isFetching, hasNextPage, fetchNextPage, refetch } = useInfiniteQuery(filesToChoose);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const files = data?.pages.flatMap((page) => page.data) ?? [];
  const choose = (id: string, isChosen: boolean) => {
    const next = new Set(chosen);
    if (isChosen) next.add(id);
    else next.delete(id);
    setChosen(next);
  };
  return (
    <FormModal
      onClose={onClose}
      title={t("store.attach.title")}
      about={t("store.attach.about")}
      submit={t("store.attach.submit")}
      busy={attach.isPending}
      why={chosen.size === 0 ? t("store.attach.chooseFirst") : null}
      error={attach.error}
      onSubmit={() => {
        attach.mutate([...chosen], {
          onSuccess: () => {
            announce(t("store.attach.done", { count: chosen.size }));
            onClose();
          },
        });
      }}
    >
      {isPending && <Skeleton lines={4} />}
      {error !== null && (
        <ErrorNote
          error={error}
          retry={() => void (data === undefined ? refetch() : fetchNextPage())}
          busy={isFetching}
        />
      )}
      {data !== undefined && files.length === 0 && <Empty title={t("files.none")}>{t("store.attach.none")}</Empty>}
      {files.length > 0 && (
        <ul tabIndex={0} aria-label={t("files.title")} className="flex max-h-80 flex-col gap-2 overflow-auto p-1">
          {files.map(({ id, filename, bytes: size, created_at: at }) => (
            <li key={id}>
              <Checkbox
                label={<Foreign>{filename || id}</Foreign>}
                hint={`${bytes(size)} · ${dateTime(at)}`}
                checked={chosen.has(id)}
                onChange={(event) => {
                  choose(id, event.target.checked);
                }}
              />
            </li>
          ))}
        </ul>
      )}
      {hasNextPage && (
        <Button className="self-start" busy={isFetching} onClick={() => void fetchNextPage()}>
          {t("store.attach.more")}
        </Button>
      )}
    </FormModal>
  );
}
