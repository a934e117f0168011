import { type LitellmKey, useBlockLitellmKey } from "../../../api/litellmKeys.js";
import { useAnnounce } from "../../../parts/announcer.js";
import { Confirm } from "../../../parts/dialog.js";
import { useTexts } from "../../../text/texts.js";
import { useAbout } from "../own.js";
import { nameOf } from "./table.js";

/** Asks before a key is blocked, or works again. */
export default function BlockKey({ of, onClose }: { of: LitellmKey; onClose: () => void }) {
  const { t } = useTexts();
  const announce = useAnnounce();
  const change = useBlockLitellmKey(of.id);
  // The list behind is asked for again while this is open; what was asked here stays.
  const blocked = of.status === "blocked";
  const name = nameOf(of);
  const aboutBlock = useAbout(of.id, t("keys.blockAbout"), t("keys.ownEnd"));
  return (
    <Confirm
      onClose={onClose}
      title={t(blocked ? "keys.unblockTitle" : "keys.blockTitle", { name })}
      about={blocked ? t("keys.unblockAbout") : aboutBlock}
      submit={t(blocked ? "keys.unblock" : "keys.block")}
      busy={change.isPending}
      error={change.error}
      onSubmit={() => {
        change.mutate(!blocked, {
          onSuccess: () => {
            onClose();
            announce(t(blocked ? "keys.unblocked" : "keys.blocked", { name }));
          },
        });
      }}
    />
  );
}
