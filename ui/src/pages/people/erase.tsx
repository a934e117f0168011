import { useNavigate } from "react-router";
import { type Estate, useEraseOwner } from "../../api/owners.js";
import { useAnnounce } from "../../parts/announcer.js";
import { Confirm } from "../../parts/dialog.js";
import { useTexts } from "../../text/texts.js";

/** Removes everything that somebody has, once the subject was typed. */
export default function Erase({ of, onClose }: { of: Estate; onClose: () => void }) {
  const { t } = useTexts();
  const announce = useAnnounce();
  const { subject, vector_stores: stores, files, permissions, usage } = of;
  const erase = useEraseOwner(subject);
  const navigate = useNavigate();
  return (
    <Confirm
      onClose={onClose}
      title={t("people.eraseTitle", { subject })}
      about={t("people.eraseAbout")}
      typed={subject}
      submit={t("people.erase")}
      busy={erase.isPending}
      error={erase.error}
      onSubmit={() => {
        erase.mutate(undefined, {
          onSuccess: () => {
            onClose();
            void navigate(subject.startsWith("team:") ? "/people?kind=teams" : "/people");
            announce(t("people.erased", { subject }));
          },
        });
      }}
    >
      <ul className="list-disc pl-5 text-sm">
        <li>{t("people.ownedStores", { count: stores.count })}</li>
        <li>{t("people.ownedFiles", { count: files.count })}</li>
        <li>{t("people.granted", { count: permissions.count })}</li>
        <li>{t("people.usedRequests", { count: usage.requests })}</li>
      </ul>
    </Confirm>
  );
}
