import { useState } from "react";
import { type LitellmKey, useRotateLitellmKey } from "../../../api/litellmKeys.js";
import { DialogForm } from "../../../parts/dialog.js";
import { useTexts } from "../../../text/texts.js";
import { OverlapField } from "../life.js";
import { KeyDialog } from "../shownOnce.js";
import { nameOf } from "./table.js";

/** Replaces one of LiteLLM's keys. */
export default function RotateLitellmKey({ of, onClose }: { of: LitellmKey; onClose: () => void }) {
  const { t } = useTexts();
  const rotate = useRotateLitellmKey(of.id);
  const [overlap, setOverlap] = useState("3600");
  return (
    <KeyDialog
      onClose={onClose}
      title={t("keys.rotateTitle", { name: nameOf(of) })}
      about={t("keys.rotateLitellmAbout")}
      made={rotate.data?.key ?? null}
    >
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
