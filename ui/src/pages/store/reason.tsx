import type { StoreFile } from "../../api/storeFiles.js";
import { Foreign } from "../../parts/notes.js";
import { useTexts } from "../../text/texts.js";

/** Why a file could not be read: of which kind that is, and what the service says of it, in English. */
export function Reason({ of: { code, message } }: { of: NonNullable<StoreFile["last_error"]> }) {
  const { t } = useTexts();
  return (
    <div className="text-danger">
      <p>{t(`store.files.reasons.${code}`)}</p>
      {message !== "" && (
        <p lang="en">
          <Foreign>{message}</Foreign>
        </p>
      )}
    </div>
  );
}
