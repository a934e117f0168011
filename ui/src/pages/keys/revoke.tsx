import { type ServiceKey, useRevokeKey } from "../../api/keys.js";
import { useAnnounce } from "../../parts/announcer.js";
import { Confirm } from "../../parts/dialog.js";
import { visible } from "../../parts/visible.js";
import { useTexts } from "../../text/texts.js";
import { useAbout } from "./own.js";

/** Ends a key of the service, once its name was typed. */
export default function RevokeKey({ of: { id, name }, onClose }: { of: ServiceKey; onClose: () => void }) {
  const { t } = useTexts();
  const announce = useAnnounce();
  const shown = useAbout(id, t("keys.revokeAbout"), t("keys.ownEnd"));
  const revoke = useRevokeKey(id);
  return (
    <Confirm
      onClose={onClose}
      title={t("keys.revokeTitle", { name })}
      about={shown}
      typed={visible(name) === "" ? id : name}
      submit={t("keys.revoke")}
      busy={revoke.isPending}
      error={revoke.error}
      onSubmit={() => {
        revoke.mutate(undefined, {
          onSuccess: () => {
            onClose();
            announce(t("keys.revoked", { name }));
          },
        });
      }}
    />
  );
}
