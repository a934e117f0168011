import { TriangleAlert } from "lucide-react";
import { type ReactNode, useCallback, useEffect, useState } from "react";
import { useBlocker } from "react-router";
import { useEndReason, useHoldPage } from "../../api/sessionEnd.js";
import { useAnnounce } from "../../parts/announcer.js";
import { Button } from "../../parts/button.js";
import { Code } from "../../parts/copy.js";
import { DialogForm, type DialogFormProps, Modal } from "../../parts/dialog.js";
import { Checkbox } from "../../parts/fields.js";
import { useTexts } from "../../text/texts.js";

interface KeyDialogProps extends Omit<DialogFormProps, "stay"> {
  title: string;
  about?: ReactNode;
  /** The key, once it was made. */
  made: string | null;
}

/** Keeps the page open: another page, the button back, and a reload would lose what is shown. */
function useStaying(wanted: boolean, warn: () => void) {
  const { state, reset } = useBlocker(wanted);
  useEffect(() => {
    if (state !== "blocked") return;
    reset();
    warn();
  }, [state, reset, warn]);
  useEffect(() => {
    if (!wanted) return;
    const ask = (event: BeforeUnloadEvent) => {
      event.preventDefault();
    };
    window.addEventListener("beforeunload", ask);
    return () => {
      window.removeEventListener("beforeunload", ask);
    };
  }, [wanted]);
}

/**
 * A dialog with the form that makes a key, and then with the key, for the only time. It closes once somebody says that
 * they have it: neither while it is being made, nor because the session ends, which a rotation may do by itself.
 */
export function KeyDialog({ title, about, made, ...form }: KeyDialogProps) {
  const { t } = useTexts();
  const announce = useAnnounce();
  const [stored, setStored] = useState(false);
  const isOver = useEndReason() !== null;
  const { busy, onClose } = form;
  const stay = busy ? t("keys.beingMade") : made !== null && !stored ? t("keys.storeFirst") : null;
  const warn = useCallback(() => {
    if (stay !== null) announce(stay);
  }, [announce, stay]);
  useStaying(stay !== null, warn);
  useHoldPage(busy || made !== null);
  const close = stay === null ? onClose : warn;
  if (made === null) {
    return (
      <Modal onClose={close} title={title} about={about} stays={busy}>
        <DialogForm {...form} stay={stay} />
      </Modal>
    );
  }
  return (
    <Modal onClose={close} title={t("keys.madeTitle")} about={t("keys.madeAbout")} stays>
      <div className="flex flex-col gap-4">
        <Code text={made} what={t("keys.key")} />
        <p className="flex gap-2 text-sm">
          <TriangleAlert aria-hidden className="mt-0.5 size-4 shrink-0 text-warn" />
          {t("keys.madeOnce")}
          {isOver && ` ${t("keys.signedOut")}`}
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
