import { RotateCw, X } from "lucide-react";
import {
  type Upload,
  cancelUpload,
  clearUploads,
  isUnsent,
  retryFailed,
  retryUpload,
  useUploads,
} from "../../api/uploads/queue.js";
import { Button, IconButton } from "../../parts/button.js";
import { failureText } from "../../parts/failureText.js";
import { bytes, number, percent } from "../../parts/format.js";
import { Badge, Foreign, type Tone } from "../../parts/notes.js";
import { Section } from "../../parts/page.js";
import { useTexts } from "../../text/texts.js";
import { Reason } from "./reason.js";

/** More are counted, but not drawn. */
const most = 50;

/** What is being uploaded to a vector store, and how far it is. */
export function UploadPanel({ storeId }: { storeId: string }) {
  const { t } = useTexts();
  const uploads = useUploads(storeId);
  if (uploads.length === 0) return null;
  const open = uploads.filter((upload) => isUnsent(upload) || upload.state === "reading");
  const ended = uploads.filter((upload) => !open.includes(upload));
  // Those that wait for somebody come first, then those that move.
  const failed = ended.filter(({ state }) => state === "failed");
  const ordered = [...failed, ...open, ...ended.filter(({ state }) => state !== "failed").reverse()];
  // What somebody has given up is no longer to be sent.
  const wanted = uploads.filter(({ state }) => state !== "cancelled");
  const isWhole = wanted.every(({ sent, size }) => sent === size);
  const size = wanted.reduce((sum, upload) => sum + upload.size, 0);
  const sent = wanted.reduce((sum, upload) => sum + upload.sent, 0);
  // Never rounded up: 100 % says that all of it is there.
  const share = isWhole ? 1 : Math.floor((sent / Math.max(size, 1)) * 1000) / 1000;
  const cancelled = uploads.length - wanted.length;
  const sum = (fraction: number) =>
    [
      t("store.uploads.sum", {
        done: number(uploads.filter(({ state }) => state === "completed").length),
        total: number(uploads.length),
        percent: percent(fraction),
      }),
      ...(failed.length > 0 ? [t("stores.failed", { count: failed.length })] : []),
      ...(cancelled > 0 ? [t("store.cancelledCount", { count: cancelled })] : []),
    ].join(", ");
  return (
    <Section
      title={t("store.uploads.title")}
      actions={
        ended.length > 0 && (
          <div className="flex flex-wrap gap-2">
            {failed.length > 1 && (
              <Button
                onClick={() => {
                  retryFailed(storeId);
                }}
              >
                {t("store.uploads.retryFailed")}
              </Button>
            )}
            <Button
              onClick={() => {
                clearUploads(storeId);
              }}
            >
              {t("store.uploads.clear")}
            </Button>
          </div>
        )
      }
    >
      <p className="mb-2 text-sm text-muted">{sum(share)}</p>
      {/* Read in tenths, so that it does not talk all the time. */}
      <p className="sr-only" role="status">
        {sum(Math.floor(share * 10) / 10)}
      </p>
      <ul className="max-h-96 divide-y divide-line overflow-y-auto" tabIndex={0} aria-label={t("store.uploads.title")}>
        {ordered.slice(0, most).map((upload) => (
          <Item key={upload.id} upload={upload} />
        ))}
      </ul>
      {ordered.length > most && (
        <p className="mt-2 text-sm text-muted">{t("store.uploads.more", { count: ordered.length - most })}</p>
      )}
    </Section>
  );
}

const tones: Partial<Record<Upload["state"], Tone>> = {
  completed: "ok",
  failed: "danger",
  waiting: "warn",
  sending: "accent",
  reading: "accent",
};

function Item({ upload }: { upload: Upload }) {
  const { t } = useTexts();
  const { id, name, size, state, sent, error, file } = upload;
  const progress = file?.progress;
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-1 py-2 text-sm">
      <div className="min-w-0 flex-1 basis-56">
        <Foreign className="line-clamp-2 font-medium">{name}</Foreign>
        <p className="text-xs text-muted">
          {isUnsent(upload) ? t("store.uploads.sent", { sent: bytes(sent), size: bytes(size) }) : bytes(size)}
          {state === "reading" &&
            progress?.chunks_total != null &&
            ` · ${t("store.files.chunksOf", { done: number(progress.chunks_done), total: number(progress.chunks_total) })}`}
        </p>
        {isUnsent(upload) && (
          <progress
            className="mt-1 h-1.5 w-full accent-accent"
            aria-label={t("store.uploads.progress", { name })}
            value={sent}
            max={Math.max(size, 1)}
          />
        )}
        {state === "failed" && file?.last_error != null && (
          <div className="mt-1 text-xs">
            <Reason of={file.last_error} />
          </div>
        )}
        {error !== null && !(state === "failed" && file?.last_error != null) && (
          <p className={`foreign mt-1 text-xs ${state === "failed" ? "text-danger" : "text-warn"}`}>
            {failureText(error, t)}
          </p>
        )}
      </div>
      <Badge tone={tones[state] ?? "plain"}>{t(`store.uploads.states.${state}`)}</Badge>
      <span className="flex">
        {(state === "failed" || state === "cancelled") && (
          <IconButton
            icon={<RotateCw aria-hidden className="size-4" />}
            label={t("store.uploads.retry", { name })}
            onClick={() => {
              retryUpload(id);
            }}
          />
        )}
        {(isUnsent(upload) || state === "reading") && (
          <IconButton
            icon={<X aria-hidden className="size-4" />}
            label={t("store.uploads.cancel", { name })}
            onClick={() => {
              cancelUpload(id);
            }}
          />
        )}
      </span>
    </li>
  );
}
