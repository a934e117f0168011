import { useState } from "react";
import { messagesIn } from "../../api/failure.js";
import { type Row, useAddRow, useChangeRow } from "../../api/rows.js";
import { useAnnounce } from "../../parts/announcer.js";
import { FormModal } from "../../parts/dialog.js";
import { TextArea, TextField } from "../../parts/fields.js";
import { jsonObject, jsonText } from "../../parts/json.js";
import { typedInto } from "../../parts/formFields.js";
import { useTexts } from "../../text/texts.js";

interface RowDialogProps {
  storeId: string;
  row: Row | "new";
  onClose: () => void;
}

/** Adds a row, or changes one. */
export default function RowDialog({ storeId, row, onClose }: RowDialogProps) {
  const { t } = useTexts();
  const announce = useAnnounce();
  const add = useAddRow(storeId);
  const change = useChangeRow(storeId);
  const old = row === "new" ? null : row;
  const [typed, setTyped] = useState(() => ({
    id: "",
    content: old?.content ?? "",
    metadata: jsonText(old?.metadata ?? null),
  }));
  const field = typedInto(typed, setTyped);
  const { id, content } = typed;
  const metadata = jsonObject(typed.metadata, t);
  const wrong = typeof metadata === "string" ? metadata : null;
  const error = add.error ?? change.error;
  const wrongAt = messagesIn(error);
  const done = {
    onSuccess: () => {
      announce(t(old === null ? "store.rows.added" : "store.rows.changed"));
      onClose();
    },
  };
  const submit = () => {
    if (typeof metadata === "string") return;
    if (old === null) add.mutate({ content, metadata, ...(id.trim() !== "" && { id: id.trim() }) }, done);
    // A text that stays as it is need not be embedded.
    else change.mutate({ id: old.id, metadata, ...(content !== old.content && { content }) }, done);
  };
  return (
    <FormModal
      wide
      onClose={onClose}
      title={old === null ? t("store.rows.add") : t("store.rows.change", { id: old.id })}
      about={t("store.rows.addAbout")}
      submit={old === null ? t("store.rows.add") : t("save")}
      busy={add.isPending || change.isPending}
      why={content === "" ? t("store.rows.noContent") : wrong}
      error={error}
      onSubmit={submit}
    >
      <TextArea label={t("store.rows.content")} rows={8} autoFocus error={wrongAt("content")} {...field("content")} />
      <TextArea
        label={t("store.metadata")}
        hint={t("store.rows.metadataHint")}
        rows={4}
        error={wrong ?? wrongAt("metadata")}
        {...field("metadata")}
      />
      {old === null && (
        <TextField label={t("store.rows.id")} hint={t("store.rows.idHint")} error={wrongAt("id")} {...field("id")} />
      )}
    </FormModal>
  );
}
