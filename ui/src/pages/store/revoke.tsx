import { type Permission, useRevoke } from "../../api/permissions.js";
import { useAnnounce } from "../../parts/announcer.js";
import { Confirm } from "../../parts/dialog.js";
import { usePersonName } from "../people/name.js";
import { useTexts } from "../../text/texts.js";

interface RevokeProps {
  storeId: string;
  permission: Permission;
  onClose: () => void;
}

export default function Revoke({ storeId, permission: { subject }, onClose }: RevokeProps) {
  const { t } = useTexts();
  const announce = useAnnounce();
  const revoke = useRevoke(storeId);
  const name = usePersonName(subject) ?? subject;
  return (
    <Confirm
      onClose={onClose}
      title={t("store.share.revokeTitle", { subject: name })}
      about={t("store.share.revokeAbout")}
      submit={t("store.share.revokeNow")}
      busy={revoke.isPending}
      error={revoke.error}
      onSubmit={() => {
        revoke.mutate(subject, {
          onSuccess: () => {
            announce(t("store.share.revoked", { subject: name }));
            onClose();
          },
        });
      }}
    />
  );
}
