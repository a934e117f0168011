import { type ServiceKey, useRotateKey } from "../../api/keys.js";
import { useTexts } from "../../text/texts.js";
import { RotateDialog } from "./rotateDialog.js";

/** Replaces a key of the service. */
export default function RotateKey({ of: { id, name }, onClose }: { of: ServiceKey; onClose: () => void }) {
  const { t } = useTexts();
  return <RotateDialog id={id} name={name} about={t("keys.rotateAbout")} rotate={useRotateKey(id)} onClose={onClose} />;
}
