import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { marked } from "../../text/marked.js";
import { useTexts } from "../../text/texts.js";
import { embeddingModels } from "../../api/models.js";
import { useCreateStore } from "../../api/stores.js";
import { FormModal } from "../../parts/dialog.js";
import { SelectField, TextField } from "../../parts/fields.js";
import { messagesIn } from "../../api/failure.js";
import { numberIn, numberProblem, typedInto } from "../../parts/formFields.js";

interface CreateStoreProps {
  onClose: () => void;
  onCreated: (id: string) => void;
}

const unsaid = { name: "", days: "", model: "", dimensions: "" };

export default function CreateStore({ onClose, onCreated }: CreateStoreProps) {
  const { t } = useTexts();
  const create = useCreateStore();
  const models = useQuery(embeddingModels);
  const [wanted, setWanted] = useState(unsaid);
  const field = typedInto(wanted, setWanted);
  const [wrongDays, wrongDimensions] = [numberProblem(wanted.days, t), numberProblem(wanted.dimensions, t)];
  const submit = () => {
    const { name, model } = wanted;
    const [days, dimensions] = [numberIn(wanted.days), numberIn(wanted.dimensions)];
    create.mutate(
      {
        name,
        ...(days !== undefined && { expires_after: { anchor: "last_active_at", days } }),
        ...(model !== "" && { embedding_model: model }),
        // It belongs to a model, without which its field is not shown.
        ...(model !== "" && dimensions !== undefined && { embedding_dimensions: dimensions }),
      },
      {
        onSuccess: ({ id }) => {
          onClose();
          onCreated(id);
        },
      },
    );
  };
  const wrongAt = messagesIn(create.error);
  return (
    <FormModal
      onClose={onClose}
      title={t("stores.create")}
      submit={t("stores.create")}
      busy={create.isPending}
      why={wrongDays !== null || (wanted.model !== "" && wrongDimensions !== null) ? t("correctFirst") : null}
      error={create.error}
      onSubmit={submit}
    >
      <TextField label={t("stores.name")} autoFocus {...field("name")} error={wrongAt("name")} />
      <TextField
        label={t("stores.days")}
        hint={t("stores.daysHint")}
        inputMode="numeric"
        {...field("days")}
        error={wrongDays ?? wrongAt("expires_after")}
      />
      <SelectField label={t("stores.model")} hint={t("stores.modelHint")} {...field("model")}>
        <option value="">{t("stores.usualModel")}</option>
        {models.data?.data.map(({ id }) => (
          <option key={id} value={id}>
            {marked(id)}
          </option>
        ))}
      </SelectField>
      {wanted.model !== "" && (
        <TextField
          label={t("stores.dimensions")}
          hint={t("stores.dimensionsHint")}
          inputMode="numeric"
          {...field("dimensions")}
          error={wrongDimensions ?? wrongAt("embedding_dimensions")}
        />
      )}
    </FormModal>
  );
}
