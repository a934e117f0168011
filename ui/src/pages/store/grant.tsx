import { useState } from "react";
import { type Level, levels, useGrant } from "../../api/permissions.js";
import { useAnnounce } from "../../parts/announcer.js";
import { FormModal } from "../../parts/dialog.js";
import { SelectField } from "../../parts/fields.js";
import { useTexts } from "../../text/texts.js";
import { SubjectField, idOf, nameOf, nobody, useSearches } from "./subject.js";

export default function Grant({ storeId, onClose }: { storeId: string; onClose: () => void }) {
  const { t } = useTexts();
  const announce = useAnnounce();
  const grant = useGrant(storeId);
  const [whom, setWhom] = useState(nobody);
  const [level, setLevel] = useState<Level>("read");
  const id = idOf(whom, useSearches());
  const subject = whom.kind === "everyone" ? whom.kind : `${whom.kind}:${id}`;
  return (
    <FormModal
      onClose={onClose}
      title={t("store.share.grant")}
      submit={t("store.share.grantNow")}
      busy={grant.isPending}
      why={whom.kind !== "everyone" && id === "" ? t("store.share.noSubject") : null}
      error={grant.error}
      onSubmit={() => {
        grant.mutate(
          { subject, permission: level },
          {
            onSuccess: () => {
              announce(t("store.share.granted", { subject: nameOf(whom, subject), level: t(`store.levels.${level}`) }));
              onClose();
            },
          },
        );
      }}
    >
      <SubjectField kinds={["user", "team", "everyone"]} value={whom} onChange={setWhom} />
      <SelectField
        label={t("store.share.level")}
        hint={t(`store.share.may.${level}`)}
        value={level}
        onChange={(event) => {
          setLevel(event.target.value as Level);
        }}
      >
        {levels.map((each) => (
          <option key={each} value={each}>
            {t(`store.levels.${each}`)}
          </option>
        ))}
      </SelectField>
    </FormModal>
  );
}
