import { useQuery } from "@tanstack/react-query";
import type { SubmitEvent } from "react";
import { useMe } from "../../api/me.js";
import { rerankModels } from "../../api/models.js";
import { Button } from "../../parts/button.js";
import { useDraft } from "../../parts/draft.js";
import { SelectField, TextArea, TextField } from "../../parts/fields.js";
import { isNumber, numberProblem, sendOnEnter, typedInto } from "../../parts/formFields.js";
import { marked } from "../../text/marked.js";
import { useTexts } from "../../text/texts.js";
import { useStore } from "./context.js";
import { FilterField } from "./filterField.js";
import { type SearchUrl, asInUrl, asTyped, modes, numbers, recalls } from "./searchUrl.js";
import { useFilter } from "./useFilter.js";

interface SearchFormProps {
  shown: SearchUrl;
  busy: boolean;
  search: (next: SearchUrl) => void;
}

export function SearchForm({ shown, busy, search }: SearchFormProps) {
  const { t } = useTexts();
  const { features } = useMe();
  const { store } = useStore();
  const [draft, setDraft] = useDraft(asTyped(shown));
  const filter = useFilter(shown.filters);
  const field = typedInto(draft, setDraft);
  const numeric = (name: keyof SearchUrl) => ({
    ...field(name),
    error: numberProblem(draft[name], t),
  });
  const isWrong = numbers.some((name) => !isNumber(draft[name]));
  const why = draft.q.trim() === "" ? t("store.search.noQuery") : isWrong ? t("correctFirst") : null;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (why !== null) return;
    const filters = filter.ready();
    if (filters !== null) search(asInUrl({ ...draft, q: draft.q.trim(), filters }));
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
        hint={features.semantic ? undefined : t("store.search.wordsOnly")}
        onKeyDown={sendOnEnter}
        {...field("q")}
      />
      <div className="grid grid-cols-2 gap-3 sm:grid-cols-3 lg:grid-cols-4">
        <SelectField label={t("store.search.mode")} {...field("mode")}>
          <option value="">
            {t("store.search.asStore", { value: t(`store.modes.${store.search_mode ?? "vector"}`) })}
          </option>
          {modes.map((mode) => (
            <option key={mode} value={mode} disabled={mode !== "vector" && !features.keyword_search}>
              {t(`store.modes.${mode}`)}
            </option>
          ))}
        </SelectField>
        <TextField label={t("store.search.k")} inputMode="numeric" {...numeric("k")} />
        <SelectField label={t("store.search.recall")} {...field("recall")}>
          <option value="">{t("store.search.asStore", { value: t(`store.recalls.${store.recall ?? "high"}`) })}</option>
          {recalls.map((recall) => (
            <option key={recall} value={recall}>
              {t(`store.recalls.${recall}`)}
            </option>
          ))}
        </SelectField>
        <Rerank draft={draft} field={field} />
        <TextField
          label={t("store.search.expand")}
          hint={t("store.search.expandHint")}
          inputMode="numeric"
          {...numeric("expand")}
        />
        <TextField
          label={t("store.search.diversity")}
          hint={t("store.search.diversityHint")}
          inputMode="decimal"
          {...numeric("diversity")}
        />
        <TextField
          label={t("store.search.threshold")}
          hint={t("store.search.thresholdHint")}
          inputMode="decimal"
          {...numeric("threshold")}
        />
        {features.chat_model && (
          <SelectField label={t("store.search.rewrite")} {...field("rewrite")}>
            <option value="">{t("no")}</option>
            <option value="true">{t("yes")}</option>
          </SelectField>
        )}
      </div>
      <FilterField filter={filter} />
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
  field: ReturnType<typeof typedInto<SearchUrl>>;
}

function Rerank({ draft, field }: RerankProps) {
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
        {...field("rerank")}
      >
        <option value="">{t("store.search.asStore", { value: t(store.rerank === true ? "yes" : "no") })}</option>
        <option value="true">{t("yes")}</option>
        <option value="false">{t("no")}</option>
      </SelectField>
      {draft.rerank === "true" && (
        <SelectField label={t("store.search.rerankModel")} {...field("model")}>
          <option value="">{t("store.search.usualModel")}</option>
          {models.data?.data.map(({ id }) => (
            <option key={id} value={id}>
              {marked(id)}
            </option>
          ))}
        </SelectField>
      )}
    </>
  );
}
