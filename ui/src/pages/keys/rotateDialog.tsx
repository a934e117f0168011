import type { UseMutationResult } from "@tanstack/react-query";
import { useState } from "react";
import { DialogForm } from "../../parts/dialog.js";
import { useTexts } from "../../text/texts.js";
import { OverlapField } from "./life.js";
import { KeyDialog } from "./shownOnce.js";

interface RotateDialogProps {
  name: string;
  about: string;
  /** Takes the seconds that both keys work; gives the new key. */
  rotate: UseMutationResult<{ key: string }, Error, number>;
  onClose: () => void;
}

/** Replaces a key, whoever keeps it, and shows the new one once. */
export function RotateDialog({ name, about, rotate, onClose }: RotateDialogProps) {
  const { t } = useTexts();
  const [overlap, setOverlap] = useState("3600");
  return (
    <KeyDialog onClose={onClose} title={t("keys.rotateTitle", { name })} about={about} made={rotate.data?.key ?? null}>
      <DialogForm
        onClose={onClose}
        submit={t("keys.rotate")}
        busy={rotate.isPending}
        error={rotate.error}
        onSubmit={() => {
          rotate.mutate(Number(overlap));
        }}
      >
        <OverlapField value={overlap} onChange={setOverlap} />
      </DialogForm>
    </KeyDialog>
  );
}
