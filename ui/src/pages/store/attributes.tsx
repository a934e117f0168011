import { useState } from "react";
import { type StoreFile, useChangeAttributes } from "../../api/storeFiles.js";
import { useAnnounce } from "../../parts/announcer.js";
import { FormModal } from "../../parts/dialog.js";
import { TextArea } from "../../parts/fields.js";
import { jsonObject, jsonText } from "../../parts/json.js";
import { useTexts } from "../../text/texts.js";

export default function Attributes({ file, onClose }: { file: StoreFile; onClose: () => void }) {
  const { t } = useTexts();
  const announce = useAnnounce();
  const change = useChangeAttributes(file);
  const [text, setText] = useState(() => jsonText(file.attributes));
  const value = jsonObject(text, t);
  const wrong = typeof value === "string" ? value : null;
  const name = file.filename || file.id;
  return (
    <FormModal
      onClose={onClose}
      title={t("store.files.attributesOf", { name })}
      about={t("store.files.attributesAbout")}
      submit={t("save")}
      busy={change.isPending}
      why={wrong}
      error={change.error}
      onSubmit={() => {
        // The service says which value is no text, number or boolean.
        change.mutate(value as StoreFile["attributes"], {
          onSuccess: () => {
            announce(t("store.files.attributesSaved", { name }));
            onClose();
          },
        });
      }}
    >
      <TextArea
        label={t("store.files.attributes")}
        hint={t("store.files.attributesHint")}
        rows={8}
        autoFocus
        spellCheck={false}
        value={text}
        error={wrong}
        onChange={(event) => {
          setText(event.target.value);
        }}
      />
    </FormModal>
  );
}
