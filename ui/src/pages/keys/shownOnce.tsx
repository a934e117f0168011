import { TriangleAlert } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useAnnounce } from "../../parts/announcer.js";
import { Button } from "../../parts/button.js";
import { Code } from "../../parts/copy.js";
import { Modal } from "../../parts/dialog.js";
import { Checkbox } from "../../parts/fields.js";
import { useTexts } from "../../text/texts.js";

interface KeyDialogProps {
  onClose: () => void;
  title: string;
  about?: ReactNode;
  /** The key, once it was made. */
  made: string | null;
  /** The form that makes it. */
  children: ReactNode;
}

/** A dialog that makes a key, and then shows it, for the only time. It closes once somebody says that they have it. */
export function KeyDialog({ onClose, title, about, made, children }: KeyDialogProps) {
  const { t } = useTexts();
  const announce = useAnnounce();
  const [stored, setStored] = useState(false);
  const close = () => {
    if (made === null || stored) onClose();
    else announce(t("keys.storeFirst"));
  };
  if (made === null) {
    return (
      <Modal onClose={close} title={title} about={about}>
        {children}
      </Modal>
    );
  }
  return (
    <Modal onClose={close} title={t("keys.madeTitle")} about={t("keys.madeAbout")}>
      <div className="flex flex-col gap-4">
        <Code text={made} what={t("keys.key")} />
        <p className="flex gap-2 text-sm">
          <TriangleAlert aria-hidden className="mt-0.5 size-4 shrink-0 text-warn" />
          {t("keys.madeOnce")}
        </p>
        <Checkbox
          label={t("keys.stored")}
          checked={stored}
          onChange={(event) => {
            setStored(event.target.checked);
          }}
        />
        <div className="flex justify-end">
          <Button look="primary" why={stored ? null : t("keys.storeFirst")} onClick={close}>
            {t("keys.done")}
          </Button>
        </div>
      </div>
    </Modal>
  );
}
