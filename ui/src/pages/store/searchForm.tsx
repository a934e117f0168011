import { useQuery } from "@tanstack/react-query";
import { type SubmitEvent, useState } from "react";
import { useMe } from "../../api/me.js";
import { rerankModels } from "../../api/models.js";
import { Button } from "../../parts/button.js";
import { SelectField, TextArea, TextField } from "../../parts/fields.js";
import { useTexts } from "../../text/texts.js";
import { useStore } from "./context.js";
import { filterProblem } from "./filter.js";
import { FilterField } from "./filterField.js";
import { type SearchUrl, modes, recalls } from "./searchUrl.js";

interface SearchFormProps {
  shown: SearchUrl;
  busy: boolean;
  search: (next: SearchUrl) => void;
}

export function SearchForm({ shown, busy, search }: SearchFormProps) {
  const { t } = useTexts();
  const { features } = useMe();
  const { store } = useStore();
  const [draft, setDraft] = useState(shown);
  const [filled, setFilled] = useState(shown);
  // Back and forward fill the form in.
  if (filled !== shown) {
    setFilled(shown);
    setDraft(shown);
  }
  const set = (name: keyof SearchUrl) => (event: { target: { value: string } }) => {
    setDraft({ ...draft, [name]: event.target.value });
  };
  const why =
    draft.q.trim() === ""
      ? t("store.search.noQuery")
      : filterProblem(draft.filters) !== null
        ? t("store.filter.wrong")
        : null;
  const submit = (event?: SubmitEvent) => {
    event?.preventDefault();
    if (why === null) search({ ...draft, q: draft.q.trim() });
  };
  return (
    <form
      role="search"
      onSubmit={submit}
      className="mb-6 flex flex-col gap-4 rounded-lg border border-line bg-surface p-4"
    >
      <TextArea
        label={t("store.search.query")}
        rows={2}
        value={draft.q}
        onChange={set("q")}
        hint={features.semantic ? undefined : t("store.search.wordsOnly")}
        onKeyDown={(event) => {
          if (event.key === "Enter" && !event.shiftKey) {
            event.preventDefault();
            submit();
          }
        }}
      />
      <div className="grid grid-cols-2 gap-3 sm:grid-cols-3 lg:grid-cols-4">
        <SelectField label={t("store.search.mode")} value={draft.mode} onChange={set("mode")}>
          <option value="">
            {t("store.search.asStore", { value: t(`store.modes.${store.search_mode ?? "vector"}`) })}
          </option>
          {modes.map((mode) => (
            <option key={mode} value={mode} disabled={mode !== "vector" && !features.keyword_search}>
              {t(`store.modes.${mode}`)}
            </option>
          ))}
        </SelectField>
        <TextField label={t("store.search.k")} inputMode="numeric" value={draft.k} onChange={set("k")} />
        <SelectField label={t("store.search.recall")} value={draft.recall} onChange={set("recall")}>
          <option value="">{t("store.search.asStore", { value: t(`store.recalls.${store.recall ?? "high"}`) })}</option>
          {recalls.map((recall) => (
            <option key={recall} value={recall}>
              {t(`store.recalls.${recall}`)}
            </option>
          ))}
        </SelectField>
        <Rerank draft={draft} set={set} />
        <TextField
          label={t("store.search.expand")}
          hint={t("store.search.expandHint")}
          inputMode="numeric"
          value={draft.expand}
          onChange={set("expand")}
        />
        <TextField
          label={t("store.search.diversity")}
          hint={t("store.search.diversityHint")}
          inputMode="decimal"
          value={draft.diversity}
          onChange={set("diversity")}
        />
        <TextField
          label={t("store.search.threshold")}
          hint={t("store.search.thresholdHint")}
          inputMode="decimal"
          value={draft.threshold}
          onChange={set("threshold")}
        />
        {features.chat_model && (
          <SelectField label={t("store.search.rewrite")} value={draft.rewrite} onChange={set("rewrite")}>
            <option value="">{t("no")}</option>
            <option value="true">{t("yes")}</option>
          </SelectField>
        )}
      </div>
      <FilterField
        value={draft.filters}
        onChange={(filters) => {
          setDraft({ ...draft, filters });
        }}
      />
      <div>
        <Button type="submit" look="primary" busy={busy} why={why}>
          {t("search")}
        </Button>
      </div>
    </form>
  );
}

interface RerankProps {
  draft: SearchUrl;
  set: (name: keyof SearchUrl) => (event: { target: { value: string } }) => void;
}

function Rerank({ draft, set }: RerankProps) {
  const { t } = useTexts();
  const { rerank: may } = useMe().features;
  const { store } = useStore();
  const models = useQuery({ ...rerankModels, enabled: may && draft.rerank === "true" });
  return (
    <>
      <SelectField
        label={t("store.search.rerank")}
        hint={may ? undefined : t("store.search.noRerank")}
        disabled={!may}
        value={draft.rerank}
        onChange={set("rerank")}
      >
        <option value="">{t("store.search.asStore", { value: t(store.rerank === true ? "yes" : "no") })}</option>
        <option value="true">{t("yes")}</option>
        <option value="false">{t("no")}</option>
      </SelectField>
      {draft.rerank === "true" && (
        <SelectField label={t("store.search.rerankModel")} value={draft.model} onChange={set("model")}>
          <option value="">{t("store.search.usualModel")}</option>
          {models.data?.data.map(({ id }) => (
            <option key={id} value={id}>
              {id}
            </option>
          ))}
        </SelectField>
      )}
    </>
  );
}
