import { useState } from "react";
import { type ServiceKey, useRotateKey } from "../../api/keys.js";
import { DialogForm } from "../../parts/dialog.js";
import { useTexts } from "../../text/texts.js";
import { OverlapField } from "./life.js";
import { KeyDialog } from "./shownOnce.js";

/** Replaces a key of the service. */
export default function RotateKey({ of: { id, name }, onClose }: { of: ServiceKey; onClose: () => void }) {
  const { t } = useTexts();
  const rotate = useRotateKey(id);
  const [overlap, setOverlap] = useState("3600");
  return (
    <KeyDialog
      onClose={onClose}
      title={t("keys.rotateTitle", { name })}
      about={t("keys.rotateAbout")}
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
