import { Button } from "../../parts/button.js";
import { Modal } from "../../parts/dialog.js";
import { useTexts } from "../../text/texts.js";

export default function LeaveDialog({ stay, leave }: { stay: () => void; leave: () => void }) {
  const { t } = useTexts();
  return (
    <Modal onClose={stay} title={t("store.uploads.leaveTitle")} about={t("store.uploads.leaveAbout")}>
      <div className="flex flex-wrap justify-end gap-2">
        <Button onClick={leave}>{t("store.uploads.leave")}</Button>
        <Button look="primary" onClick={stay}>
          {t("store.uploads.stay")}
        </Button>
      </div>
    </Modal>
  );
}
