import { Download, Trash2 } from "lucide-react";
import { type UploadedFile, contentOf } from "../../api/uploadedFiles.js";
import { IconButton, buttonClass } from "../../parts/button.js";
import { Ago } from "../../parts/ago.js";
import { bytes, dateTime } from "../../parts/format.js";
import { Foreign } from "../../parts/notes.js";
import type { Column } from "../../parts/table.js";
import { useTexts } from "../../text/texts.js";

/** What people know it by. */
export const titleOf = ({ id, filename }: UploadedFile): string => filename || id;

/** @param why files cannot be deleted; null: they can */
export function useFileColumns(why: string | null, onDelete: (file: UploadedFile) => void): Column<UploadedFile>[] {
  const { t } = useTexts();
  return [
    {
      id: "name",
      title: t("files.name"),
      cell: (file) => (
        <>
          <Foreign className="line-clamp-2 font-medium">{titleOf(file)}</Foreign>
          <p className="font-mono text-xs text-muted max-md:hidden">{file.id}</p>
        </>
      ),
    },
    { id: "purpose", title: t("files.purpose"), minor: true, cell: ({ purpose }) => <Foreign>{purpose}</Foreign> },
    { id: "size", title: t("files.size"), numeric: true, cell: ({ bytes: size }) => bytes(size) },
    {
      id: "created",
      title: t("files.created"),
      minor: true,
      sort: "created_at",
      cell: ({ created_at: at }) => dateTime(at),
    },
    {
      id: "expires",
      title: t("files.expires"),
      minor: true,
      cell: ({ expires_at: at }) => (at === undefined ? t("never") : <Ago at={at} />),
    },
    {
      id: "actions",
      title: t("actions"),
      cell: (file) => (
        <div className="-my-1 flex">
          <a
            href={contentOf(file.id)}
            download={file.filename}
            title={t("files.download", { name: titleOf(file) })}
            aria-label={t("files.download", { name: titleOf(file) })}
            className={buttonClass("quiet", "min-w-9 px-2!")}
          >
            <Download aria-hidden className="size-4" />
          </a>
          <IconButton
            icon={<Trash2 aria-hidden className="size-4" />}
            label={t("files.deleteOf", { name: titleOf(file) })}
            why={why}
            onClick={() => {
              onDelete(file);
            }}
          />
        </div>
      ),
    },
  ];
}
