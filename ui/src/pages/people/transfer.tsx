import { useState } from "react";
import { useTransferOwner } from "../../api/owners.js";
import type { Kind } from "../../api/people.js";
import { useAnnounce } from "../../parts/announcer.js";
import { FormModal } from "../../parts/dialog.js";
import { SelectField } from "../../parts/fields.js";
import { useTexts } from "../../text/texts.js";
import { PersonField } from "./personField.js";

/** Hands everything that somebody has to a user or a team. */
export default function Transfer({ subject, onClose }: { subject: string; onClose: () => void }) {
  const { t } = useTexts();
  const announce = useAnnounce();
  const transfer = useTransferOwner(subject);
  const [kind, setKind] = useState<Kind>("user");
  const [id, setId] = useState("");
  const to = `${kind}:${id.trim()}`;
  return (
    <FormModal
      onClose={onClose}
      title={t("people.transferTitle", { subject })}
      about={t("people.transferAbout")}
      submit={t("people.transfer")}
      busy={transfer.isPending}
      why={id.trim() === "" ? t("people.idFirst") : to === subject ? t("people.sameOwner") : null}
      error={transfer.error}
      onSubmit={() => {
        transfer.mutate(to, {
          onSuccess: ({ vector_stores: stores, files }) => {
            onClose();
            announce(t("people.transferred", { stores, files, to }));
          },
        });
      }}
    >
      <SelectField
        label={t("people.toKind")}
        value={kind}
        onChange={(event) => {
          setKind(event.target.value === "team" ? "team" : "user");
        }}
      >
        <option value="user">{t("people.user")}</option>
        <option value="team">{t("people.team")}</option>
      </SelectField>
      <PersonField
        kind={kind}
        label={t(kind === "user" ? "people.userId" : "people.teamId")}
        hint={t("people.toHint")}
        value={id}
        onChange={setId}
      />
    </FormModal>
  );
}
