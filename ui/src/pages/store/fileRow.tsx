import { RotateCw, Tags, Trash2 } from "lucide-react";
import { memo } from "react";
import { Link } from "react-router";
import { isUnknownFile } from "../../api/failure.js";
import { type StoreFile, useReadAgain } from "../../api/storeFiles.js";
import { useAnnounce, useComplain } from "../../parts/announcer.js";
import { IconButton } from "../../parts/button.js";
import { Ago } from "../../parts/ago.js";
import { bytes, number } from "../../parts/format.js";
import { Badge, Foreign, type Tone } from "../../parts/notes.js";
import { marked } from "../../text/marked.js";
import { useTexts } from "../../text/texts.js";
import { Pairs } from "./overview.js";
import { Reason } from "./reason.js";

export const fileColumns =
  "grid items-start gap-x-4 gap-y-1 px-3 grid-cols-[minmax(0,1fr)_auto] " +
  "md:grid-cols-[minmax(0,1fr)_11rem_6rem_8rem_7.5rem]";

const tones: Record<StoreFile["status"], Tone> = {
  in_progress: "accent",
  completed: "ok",
  failed: "danger",
  cancelled: "plain",
};

interface FileRowProps {
  file: StoreFile;
  why: string | null;
  onRemove: (file: StoreFile) => void;
  onChange: (file: StoreFile) => void;
}

/** The cells of one file. Scrolling draws the list again each time, and its rows have not changed. */
export const FileRow = memo(function FileRow({ file, why, onRemove, onChange }: FileRowProps) {
  const { t } = useTexts();
  const announce = useAnnounce();
  const complain = useComplain();
  const again = useReadAgain();
  const { id, vector_store_id: storeId, filename: name, status, attributes } = file;
  // Not callbacks of `mutate`: by then the row may have scrolled out of view.
  const readAgain = () => {
    again.mutateAsync(file).then(
      () => {
        announce(t("store.files.readsAgain", { name }));
      },
      (error: unknown) => {
        if (isUnknownFile(error)) complain(new Error(t("store.files.notYours", { name })));
        else if (error instanceof Error) complain(error, readAgain);
      },
    );
  };
  return (
    <>
      <div role="cell" className="min-w-0">
        <Link
          to={`/vector-stores/${storeId}/files/${id}`}
          className="font-medium text-accent underline-offset-2 hover:underline"
        >
          <Foreign className="line-clamp-2">{name || id}</Foreign>
        </Link>
        <p className="font-mono text-xs text-muted max-md:hidden">{id}</p>
        {attributes !== null && <Pairs of={attributes} most={4} />}
        {file.last_error !== null && (
          <div className="mt-1 text-xs">
            <Reason of={file.last_error} />
          </div>
        )}
      </div>
      <div role="cell" className="max-md:text-right">
        <FileState file={file} />
      </div>
      <div role="cell" className="text-muted tabular-nums max-md:hidden">
        {bytes(file.usage_bytes)}
      </div>
      <div role="cell" className="text-muted max-md:hidden">
        <Ago at={file.created_at} />
      </div>
      <div role="cell" className="-my-1 flex justify-end max-md:col-span-2">
        {(status === "failed" || status === "cancelled") && (
          <IconButton
            icon={<RotateCw aria-hidden className="size-4" />}
            label={t("store.files.again", { name })}
            why={why}
            busy={again.isPending}
            onClick={readAgain}
          />
        )}
        <IconButton
          icon={<Tags aria-hidden className="size-4" />}
          label={t("store.files.attributesOf", { name })}
          why={why}
          onClick={() => {
            onChange(file);
          }}
        />
        <IconButton
          icon={<Trash2 aria-hidden className="size-4" />}
          label={t(status === "in_progress" ? "store.files.stopAndRemove" : "store.files.remove", { name })}
          why={why}
          onClick={() => {
            onRemove(file);
          }}
        />
      </div>
    </>
  );
});

export function FileState({ file: { status, progress } }: { file: StoreFile }) {
  const { t } = useTexts();
  const { stage, chunks_done: done, chunks_total: total, waiting_for: waiting } = progress;
  return (
    <>
      <Badge tone={tones[status]}>
        {t(
          status === "in_progress" && stage !== "done" ? `store.files.stages.${stage}` : `store.files.states.${status}`,
        )}
      </Badge>
      {status === "in_progress" && total !== null && (
        <p className="mt-0.5 text-xs text-muted tabular-nums">
          {t("store.files.chunksOf", { done: number(done), total: number(total) })}
        </p>
      )}
      {waiting !== undefined && (
        <p lang="en" className="foreign mt-0.5 text-xs text-warn">
          {marked(waiting)}
        </p>
      )}
    </>
  );
}
