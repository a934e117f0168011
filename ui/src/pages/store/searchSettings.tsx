import { useQuery } from "@tanstack/react-query";
import type { SubmitEvent } from "react";
import { useMe } from "../../api/me.js";
import { rerankModels } from "../../api/models.js";
import type { ListedStore, StoreChange } from "../../api/stores.js";
import { Button } from "../../parts/button.js";
import { SelectField, TextField } from "../../parts/fields.js";
import { ErrorNote } from "../../parts/notes.js";
import { Section } from "../../parts/page.js";
import { numberIn, numberProblem, numberText, typedInto } from "../../parts/formFields.js";
import { marked } from "../../text/marked.js";
import { useTexts } from "../../text/texts.js";
import { useStore } from "./context.js";
import { modes, recalls } from "./searchUrl.js";
import { useSave } from "./settings.js";
import { useEdits } from "./useEdits.js";

/** What the API calls what the fields say. */
const fieldsOf = {
  search_mode: ["mode"],
  recall: ["recall"],
  language: ["language"],
  hybrid_search: ["vectors", "words"],
  rerank: ["rerank"],
  rerank_model: ["model"],
  max_num_results: ["count"],
} as const;

const asStored = (store: ListedStore) => ({
  mode: store.search_mode ?? "",
  recall: store.recall ?? "",
  language: store.language ?? "",
  vectors: numberText(store.hybrid_search?.embedding_weight),
  words: numberText(store.hybrid_search?.text_weight),
  rerank: store.rerank === undefined ? "" : String(store.rerank),
  model: store.rerank_model ?? "",
  count: numberText(store.max_num_results),
});
type Fields = ReturnType<typeof asStored>;

/** As the API takes them; an empty field unsets what was set. */
function settingsIn({ mode, recall, language, vectors, words, rerank, model, count }: Fields): StoreChange {
  const [embedding, text] = [numberIn(vectors), numberIn(words)];
  return {
    search_mode: modes.find((each) => each === mode) ?? null,
    recall: recalls.find((each) => each === recall) ?? null,
    language: language.trim() === "" ? null : language.trim(),
    hybrid_search:
      embedding === undefined || text === undefined ? null : { embedding_weight: embedding, text_weight: text },
    rerank: rerank === "" ? null : rerank === "true",
    rerank_model: model === "" ? null : model,
    max_num_results: numberIn(count) ?? null,
  };
}

/** How a vector store is searched, where a search does not say it. */
export function SearchSettings() {
  const { t } = useTexts();
  const { store } = useStore();
  const { keyword_search: hasKeywords, rerank: mayRerank } = useMe().features;
  const { save, wrongAt, error, busy } = useSave(store.id);
  const models = useQuery({ ...rerankModels, enabled: mayRerank });
  const { values, set, changed, forget } = useEdits(asStored(store));
  const field = typedInto(values, set);
  const { model } = values;
  const lacksOne = (values.vectors.trim() === "") !== (values.words.trim() === "");
  const wrongIn = (name: "vectors" | "words" | "count") => {
    const problem = numberProblem(values[name], t);
    if (problem !== null) return problem;
    return name !== "count" && lacksOne && values[name].trim() === "" ? t("store.settings.bothWeights") : null;
  };
  const isWrong = (["vectors", "words", "count"] as const).some((name) => wrongIn(name) !== null);
  const why =
    changed.size === 0 && store.status !== "expired"
      ? t("store.settings.unchanged")
      : isWrong
        ? t("correctFirst")
        : null;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (why !== null || busy) return;
    const isChanged = (name: string) => fieldsOf[name as keyof typeof fieldsOf].some((each) => changed.has(each));
    save(Object.fromEntries(Object.entries(settingsIn(values)).filter(([name]) => isChanged(name))), () => {
      forget(values);
    });
  };
  const unset = <option value="">{t("store.settings.usual")}</option>;
  return (
    <Section title={t("store.settings.search")}>
      <form noValidate className="flex max-w-xl flex-col gap-4" onSubmit={submit}>
        <div className="grid gap-4 sm:grid-cols-2">
          <SelectField label={t("store.search.mode")} {...field("mode")} error={wrongAt("search_mode")}>
            {unset}
            {modes.map((each) => (
              <option key={each} value={each} disabled={each !== "vector" && !hasKeywords}>
                {t(`store.modes.${each}`)}
              </option>
            ))}
          </SelectField>
          <SelectField label={t("store.search.recall")} {...field("recall")} error={wrongAt("recall")}>
            {unset}
            {recalls.map((each) => (
              <option key={each} value={each}>
                {t(`store.recalls.${each}`)}
              </option>
            ))}
          </SelectField>
          <TextField
            label={t("store.settings.language")}
            hint={t("store.settings.languageHint")}
            error={wrongAt("language")}
            {...field("language")}
          />
          <TextField
            label={t("store.settings.count")}
            hint={t("store.settings.countHint")}
            inputMode="numeric"
            error={wrongIn("count") ?? wrongAt("max_num_results")}
            {...field("count")}
          />
          <TextField
            label={t("store.settings.vectorWeight")}
            hint={t("store.settings.weightHint")}
            inputMode="decimal"
            error={wrongIn("vectors") ?? wrongAt("hybrid_search")}
            {...field("vectors")}
          />
          <TextField
            label={t("store.settings.wordWeight")}
            hint={t("store.settings.weightHint")}
            inputMode="decimal"
            error={wrongIn("words")}
            {...field("words")}
          />
          <SelectField label={t("store.search.rerank")} {...field("rerank")} error={wrongAt("rerank")}>
            {unset}
            <option value="true">{t("yes")}</option>
            <option value="false">{t("no")}</option>
          </SelectField>
          <SelectField label={t("store.search.rerankModel")} {...field("model")}>
            <option value="">{t("store.search.usualModel")}</option>
            {[...new Set([...(model === "" ? [] : [model]), ...(models.data?.data.map(({ id }) => id) ?? [])])].map(
              (id) => (
                <option key={id} value={id}>
                  {marked(id)}
                </option>
              ),
            )}
          </SelectField>
        </div>
        {error !== null && <ErrorNote error={error} />}
        <div>
          <Button type="submit" look="primary" busy={busy} why={why}>
            {t("save")}
          </Button>
        </div>
      </form>
    </Section>
  );
}
