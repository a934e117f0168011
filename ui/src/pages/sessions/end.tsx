import { type Session, useEndSessions } from "../../api/sessions.js";
import AskSignOut from "../../app/askSignOut.js";
import { useAnnounce } from "../../parts/announcer.js";
import { Confirm } from "../../parts/dialog.js";
import { useTexts } from "../../text/texts.js";

interface EndSessionsProps {
  whose: "own" | "all";
  sessions: readonly Session[];
  onClose: () => void;
}

/** Asks before sessions end. The one of this page ends by signing out. */
export default function EndSessions(props: EndSessionsProps) {
  return props.sessions.some(({ current }) => current) ? (
    <AskSignOut onClose={props.onClose} />
  ) : (
    <EndOthers {...props} />
  );
}

function EndOthers({ whose, sessions, onClose }: EndSessionsProps) {
  const { t } = useTexts();
  const announce = useAnnounce();
  const end = useEndSessions(whose);
  const count = sessions.length;
  return (
    <Confirm
      onClose={onClose}
      title={t("sessions.endTitle", { count })}
      about={t("sessions.endAbout")}
      submit={t("sessions.end")}
      busy={end.isPending}
      error={end.error}
      onSubmit={() => {
        end.mutate(
          sessions.map(({ id }) => id),
          {
            onSuccess: () => {
              onClose();
              announce(t("sessions.ended", { count }));
            },
          },
        );
      }}
    />
  );
}
