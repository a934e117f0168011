import { useSignOut } from "../../api/me.js";
import { type Session, useEndSessions } from "../../api/sessions.js";
import { useAnnounce } from "../../parts/announcer.js";
import { Confirm } from "../../parts/dialog.js";
import { useTexts } from "../../text/texts.js";

interface EndSessionsProps {
  whose: "own" | "all";
  sessions: readonly Session[];
  onClose: () => void;
}

/** Asks before sessions end. The one of this page ends by signing out. */
export default function EndSessions({ whose, sessions, onClose }: EndSessionsProps) {
  const { t } = useTexts();
  const announce = useAnnounce();
  const end = useEndSessions(whose);
  const signOut = useSignOut();
  const isHere = sessions.some(({ current }) => current);
  const count = sessions.length;
  const submit = () => {
    if (isHere) signOut.mutate();
    else {
      end.mutate(
        sessions.map(({ id }) => id),
        {
          onSuccess: () => {
            onClose();
            announce(t("sessions.ended", { count }));
          },
        },
      );
    }
  };
  return (
    <Confirm
      onClose={onClose}
      title={isHere ? t("sessions.signOutTitle") : t("sessions.endTitle", { count })}
      about={t(isHere ? "sessions.signOutAbout" : "sessions.endAbout")}
      submit={isHere ? t("account.signOut") : t("sessions.end")}
      busy={end.isPending || signOut.isPending}
      error={end.error ?? signOut.error}
      onSubmit={submit}
    />
  );
}
