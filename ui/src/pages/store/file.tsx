import { useQuery } from "@tanstack/react-query";
import { ArrowLeft, Download } from "lucide-react";
import { Link, useParams, useSearchParams } from "react-router";
import { storeFile } from "../../api/storeFiles.js";
import { contentOf, uploadedFile } from "../../api/uploadedFiles.js";
import { buttonClass } from "../../parts/button.js";
import { CopyButton } from "../../parts/copy.js";
import { bytes, dateTime, number } from "../../parts/format.js";
import { ErrorNote, Skeleton } from "../../parts/notes.js";
import { Facts, Section } from "../../parts/page.js";
import { useTexts } from "../../text/texts.js";
import { useStore } from "./context.js";
import { DocumentText } from "./documentText.js";
import { FileState } from "./fileRow.js";
import { Pairs } from "./overview.js";
import { Reason } from "./reason.js";

/** One file: what is known of it, and what was read. */
export function Component() {
  const { t } = useTexts();
  const { store } = useStore();
  const { fileId = "" } = useParams();
  const [params] = useSearchParams();
  const { data: file, error, isPending, isFetching, refetch } = useQuery(storeFile(store.id, fileId));
  const chunk = params.get("chunk");
  return (
    <>
      <div className="mb-4 flex flex-wrap items-center justify-between gap-3">
        <Link
          to={`/vector-stores/${store.id}/files`}
          className="inline-flex items-center gap-1.5 text-sm text-accent underline-offset-2 hover:underline"
        >
          <ArrowLeft aria-hidden className="size-4" />
          {t("store.text.back")}
        </Link>
        {file !== undefined && <Original fileId={fileId} name={file.filename} />}
      </div>
      {error !== null && <ErrorNote error={error} retry={() => void refetch()} busy={isFetching} />}
      {isPending && <Skeleton lines={6} />}
      {file !== undefined && (
        <Section title={file.filename || file.id}>
          <Facts
            of={[
              [
                "ID",
                <span key="id" className="inline-flex items-center gap-1 font-mono text-xs">
                  {file.id}
                  <CopyButton text={file.id} what={t("copy.id")} />
                </span>,
              ],
              [t("store.files.state"), <FileState key="state" file={file} />],
              ...(file.last_error === null
                ? []
                : ([[t("store.text.why"), <Reason key="why" of={file.last_error} />]] as const)),
              [t("store.files.size"), bytes(file.usage_bytes)],
              [t("store.text.chunks"), number(file.chunks)],
              [t("store.files.added"), dateTime(file.created_at)],
              ...(file.attributes === null
                ? []
                : ([[t("store.files.attributes"), <Pairs key="attributes" of={file.attributes} />]] as const)),
              ...(file.same_as === undefined
                ? []
                : ([
                    [
                      t("store.text.sameAs"),
                      <Link
                        key="same"
                        to={`/vector-stores/${store.id}/files/${file.same_as}`}
                        className="font-mono text-xs text-accent underline"
                      >
                        {file.same_as}
                      </Link>,
                    ],
                  ] as const)),
            ]}
          />
        </Section>
      )}
      {file !== undefined && (
        <Section title={t("store.text.title")}>
          {file.status === "completed" ? (
            <DocumentText storeId={store.id} fileId={fileId} marked={chunk === null ? [] : [chunk]} />
          ) : (
            <p className="text-sm text-muted">{t("store.text.notYet")}</p>
          )}
        </Section>
      )}
    </>
  );
}

/** The way to the file as it was uploaded; whoever may use a vector store may not have the files of others. */
function Original({ fileId, name }: { fileId: string; name: string }) {
  const { t } = useTexts();
  const { data, error, isFetching, refetch } = useQuery(uploadedFile(fileId));
  if (error !== null) return <ErrorNote error={error} retry={() => void refetch()} busy={isFetching} />;
  if (data === undefined) return null;
  if (data === null) return <p className="text-sm text-muted">{t("store.text.others")}</p>;
  return (
    <a href={contentOf(fileId)} download={name} className={buttonClass("secondary")}>
      <Download aria-hidden className="size-4" />
      {t("store.text.download")}
    </a>
  );
}
