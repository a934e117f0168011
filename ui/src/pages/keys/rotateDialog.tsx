import type { UseMutationResult } from "@tanstack/react-query";
import { useState } from "react";
import { useTexts } from "../../text/texts.js";
import { OverlapField } from "./life.js";
import { useAbout } from "./own.js";
import { KeyDialog } from "./shownOnce.js";

interface RotateDialogProps {
  id: string;
  name: string;
  about: string;
  /** Takes the seconds that both keys work; gives the new key. */
  rotate: UseMutationResult<{ key: string }, Error, number>;
  onClose: () => void;
}

/** Replaces a key, whoever keeps it, and shows the new one once. */
export function RotateDialog({ id, name, about, rotate, onClose }: RotateDialogProps) {
  const { t } = useTexts();
  const shown = useAbout(id, about, t("keys.ownRotate"));
  const [overlap, setOverlap] = useState("3600");
  return (
    <KeyDialog
      onClose={onClose}
      title={t("keys.rotateTitle", { name })}
      about={shown}
      made={rotate.data?.key ?? null}
      submit={t("keys.rotate")}
      busy={rotate.isPending}
      error={rotate.error}
      onSubmit={() => {
        rotate.mutate(Number(overlap));
      }}
    >
      <OverlapField value={overlap} onChange={setOverlap} />
    </KeyDialog>
  );
}
