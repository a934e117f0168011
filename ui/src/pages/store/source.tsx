import { Link } from "react-router";
import { Modal } from "../../parts/dialog.js";
import { Foreign } from "../../parts/notes.js";
import { useTexts } from "../../text/texts.js";
import { DocumentText, Place } from "./documentText.js";

interface SourceDialogProps {
  storeId: string;
  /** What was found. `fileId` is empty for a row that belongs to no file. */
  hit: { fileId: string; filename: string; chunkIds: readonly string[]; text: string; place: object };
  onClose: () => void;
}

/** What was found, in the text that it is from. */
export default function SourceDialog({ storeId, hit, onClose }: SourceDialogProps) {
  const { t } = useTexts();
  const { fileId, filename, chunkIds, text, place } = hit;
  const [first = ""] = chunkIds;
  return (
    <Modal wide onClose={onClose} title={filename || t("store.search.row")}>
      {fileId === "" ? (
        <>
          <p className="mb-2 text-xs text-muted">
            <Place of={place} />
          </p>
          <Foreign className="block text-sm whitespace-pre-wrap">{text}</Foreign>
        </>
      ) : (
        <>
          <p className="mb-3">
            <Link
              to={`/vector-stores/${storeId}/files/${fileId}?chunk=${encodeURIComponent(first)}`}
              className="text-sm text-accent underline underline-offset-2"
            >
              {t("store.search.toFile")}
            </Link>
          </p>
          <DocumentText storeId={storeId} fileId={fileId} marked={chunkIds} />
        </>
      )}
    </Modal>
  );
}
