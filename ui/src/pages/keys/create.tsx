import { useState } from "react";
import { messagesIn } from "../../api/failure.js";
import { type KeyScope, keyScopes, useCreateKey } from "../../api/keys.js";
import { Checkbox, SelectField, TextArea, TextField } from "../../parts/fields.js";
import { useTexts } from "../../text/texts.js";
import { LifeField, listed } from "./life.js";
import { KeyDialog } from "./shownOnce.js";

/** Makes a key of the service. */
export default function CreateKey({ onClose }: { onClose: () => void }) {
  const { t } = useTexts();
  const create = useCreateKey();
  const [name, setName] = useState("");
  const [scope, setScope] = useState<KeyScope>("search");
  const [stores, setStores] = useState("");
  const [life, setLife] = useState("");
  const [identity, setIdentity] = useState(false);
  const wrongAt = messagesIn(create.error);
  const submit = () => {
    const only = listed(stores);
    create.mutate({
      name: name.trim(),
      scope,
      ...(only.length > 0 && { vector_store_ids: only }),
      ...(life !== "" && { expires_in_seconds: Number(life) }),
      ...(identity && { identity_required: true }),
    });
  };
  return (
    <KeyDialog
      onClose={onClose}
      title={t("keys.create")}
      about={t("keys.createAbout")}
      made={create.data?.key ?? null}
      submit={t("keys.create")}
      busy={create.isPending}
      why={name.trim() === "" ? t("keys.nameFirst") : null}
      error={create.error}
      onSubmit={submit}
    >
      <TextField
        label={t("keys.name")}
        hint={t("keys.nameHint")}
        autoFocus
        value={name}
        error={wrongAt("name")}
        onChange={(event) => {
          setName(event.target.value);
        }}
      />
      <SelectField
        label={t("keys.scope")}
        hint={t(`keys.scopeHints.${scope}`)}
        value={scope}
        onChange={(event) => {
          setScope(keyScopes.find((each) => each === event.target.value) ?? scope);
        }}
      >
        {keyScopes.map((each) => (
          <option key={each} value={each}>
            {t(`keys.scopes.${each}`)}
          </option>
        ))}
      </SelectField>
      <TextArea
        label={t("keys.stores")}
        hint={t("keys.storesHint")}
        value={stores}
        error={wrongAt("vector_store_ids")}
        onChange={(event) => {
          setStores(event.target.value);
        }}
      />
      <LifeField value={life} onChange={setLife} />
      <Checkbox
        label={t("keys.identity")}
        hint={t("keys.identityHint")}
        checked={identity}
        onChange={(event) => {
          setIdentity(event.target.checked);
        }}
      />
    </KeyDialog>
  );
}
