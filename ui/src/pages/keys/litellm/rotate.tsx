import { type LitellmKey, useRotateLitellmKey } from "../../../api/litellmKeys.js";
import { useTexts } from "../../../text/texts.js";
import { RotateDialog } from "../rotateDialog.js";
import { nameOf } from "./table.js";

/** Replaces one of LiteLLM's keys. */
export default function RotateLitellmKey({ of, onClose }: { of: LitellmKey; onClose: () => void }) {
  const { t } = useTexts();
  const rotate = useRotateLitellmKey(of.id);
  return (
    <RotateDialog id={of.id} name={nameOf(of)} about={t("keys.rotateLitellmAbout")} rotate={rotate} onClose={onClose} />
  );
}
