import { useSignOut } from "../api/me.js";
import { unsentUploads } from "../api/uploads/session.js";
import { Confirm } from "../parts/dialog.js";
import { useTexts } from "../text/texts.js";

/** Asks before signing out, which ends what is being uploaded. */
export default function AskSignOut({ onClose }: { onClose: () => void }) {
  const { t } = useTexts();
  const signOut = useSignOut();
  const count = unsentUploads();
  return (
    <Confirm
      onClose={onClose}
      title={t("sessions.signOutTitle")}
      about={count > 0 ? t("sessions.signOutUploads", { count }) : t("sessions.signOutAbout")}
      submit={t("account.signOut")}
      busy={signOut.isPending}
      error={signOut.error}
      onSubmit={() => {
        signOut.mutate();
      }}
    />
  );
}
