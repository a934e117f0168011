import { X } from "lucide-react";
import type { ReactNode } from "react";
import { Button } from "../../parts/button.js";
import { useTexts } from "../../text/texts.js";

/** Says that an answer takes longer than usual, also to who does not see it. @param cancel absent: it is offered nearby */
export function Waiting({ isLate, cancel }: { isLate: boolean; cancel?: () => void }): ReactNode {
  const { t } = useTexts();
  return (
    <div className={isLate ? "mb-4 flex flex-wrap items-center gap-3" : ""}>
      {/* There before it speaks, or it would not be heard. */}
      <p role="status" className="text-sm text-warn">
        {isLate && t("store.late")}
      </p>
      {isLate && cancel !== undefined && (
        <Button icon={<X aria-hidden className="size-4" />} onClick={cancel}>
          {t("cancel")}
        </Button>
      )}
    </div>
  );
}
