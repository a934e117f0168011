import { useAction } from "../../api/once.js";
import { useState } from "react";
import { useTransferOwner } from "../../api/owners.js";
import type { Kind } from "../../api/people.js";
import { useAnnounce } from "../../parts/announcer.js";
import { FormModal } from "../../parts/dialog.js";
import { Checkbox, SelectField } from "../../parts/fields.js";
import { useTexts } from "../../text/texts.js";
import { PersonField } from "./personField.js";
import { UnknownPerson, useResolvePerson } from "./resolve.js";

/** Hands everything that somebody has to a user or a team. One that LiteLLM does not have must be meant. */
export default function Transfer({ subject, onClose }: { subject: string; onClose: () => void }) {
  const { t } = useTexts();
  const announce = useAnnounce();
  const resolve = useResolvePerson();
  const transfer = useTransferOwner(subject);
  const [kind, setKind] = useState<Kind>("user");
  const [typed, setTyped] = useState("");
  const [anyway, setAnyway] = useState(false);
  const text = typed.trim();
  const handOver = useAction({
    mutationFn: async () => {
      const to = `${kind}:${anyway ? text : await resolve(kind, text)}`;
      if (to === subject) throw new Error(t("people.sameOwner"));
      return { to, moved: await transfer.mutateAsync(to) };
    },
  });
  const change = () => {
    setAnyway(false);
    handOver.reset();
  };
  return (
    <FormModal
      onClose={onClose}
      title={t("people.transferTitle", { subject })}
      about={t("people.transferAbout")}
      submit={t("people.transfer")}
      busy={handOver.isPending}
      why={text === "" ? t("people.idFirst") : `${kind}:${text}` === subject ? t("people.sameOwner") : null}
      error={handOver.error}
      onSubmit={() => {
        handOver.mutate(undefined, {
          onSuccess: ({ to, moved }) => {
            onClose();
            const stores = t("people.ownedStores", { count: moved.vector_stores });
            const files = t("people.ownedFiles", { count: moved.files });
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
          change();
        }}
      >
        <option value="user">{t("people.user")}</option>
        <option value="team">{t("people.team")}</option>
      </SelectField>
      <PersonField
        kind={kind}
        label={t(kind === "user" ? "people.userIdOrEmail" : "people.teamIdOrAlias")}
        value={typed}
        onChange={(next) => {
          setTyped(next);
          change();
        }}
      />
      {(anyway || handOver.error instanceof UnknownPerson) && (
        <Checkbox
          label={t("people.anyway")}
          checked={anyway}
          onChange={(event) => {
            setAnyway(event.target.checked);
          }}
        />
      )}
    </FormModal>
  );
}
