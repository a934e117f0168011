import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useMe } from "../../api/me.js";
import { rerankModels } from "../../api/models.js";
import type { StoreChange } from "../../api/stores.js";
import { Button } from "../../parts/button.js";
import { SelectField, TextField } from "../../parts/fields.js";
import { ErrorNote } from "../../parts/notes.js";
import { Section } from "../../parts/page.js";
import { useTexts } from "../../text/texts.js";
import { useStore, useWhyNot } from "./context.js";
import { modes, recalls } from "./searchUrl.js";
import { useSave } from "./settings.js";

/** How a vector store is searched, where a search does not say it. */
export function SearchSettings() {
  const { t } = useTexts();
  const { store } = useStore();
  const { keyword_search: hasKeywords, rerank: mayRerank } = useMe().features;
  const why = useWhyNot("admin");
  const { save, wrongAt, error, busy } = useSave(store.id);
  const models = useQuery({ ...rerankModels, enabled: mayRerank });
  const [draft, setDraft] = useState({
    mode: store.search_mode ?? "",
    recall: store.recall ?? "",
    language: store.language ?? "",
    vectors: String(store.hybrid_search?.embedding_weight ?? ""),
    words: String(store.hybrid_search?.text_weight ?? ""),
    rerank: store.rerank === undefined ? "" : String(store.rerank),
    model: store.rerank_model ?? "",
    count: String(store.max_num_results ?? ""),
  });
  const set = (name: keyof typeof draft) => (event: { target: { value: string } }) => {
    setDraft({ ...draft, [name]: event.target.value });
  };
  const { mode, recall, language, vectors, words, rerank, model, count } = draft;
  const change = (): StoreChange => ({
    search_mode: modes.find((each) => each === mode) ?? null,
    recall: recalls.find((each) => each === recall) ?? null,
    language: language.trim() === "" ? null : language.trim(),
    hybrid_search:
      vectors.trim() === "" && words.trim() === ""
        ? null
        : { embedding_weight: Number(vectors), text_weight: Number(words) },
    rerank: rerank === "" ? null : rerank === "true",
    rerank_model: model === "" ? null : model,
    max_num_results: count.trim() === "" ? null : Number(count),
  });
  const unset = <option value="">{t("store.settings.usual")}</option>;
  return (
    <Section title={t("store.settings.search")}>
      <form
        noValidate
        className="flex max-w-xl flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          if (why === null) save(change());
        }}
      >
        <div className="grid gap-4 sm:grid-cols-2">
          <SelectField
            label={t("store.search.mode")}
            value={mode}
            onChange={set("mode")}
            error={wrongAt("search_mode")}
          >
            {unset}
            {modes.map((each) => (
              <option key={each} value={each} disabled={each !== "vector" && !hasKeywords}>
                {t(`store.modes.${each}`)}
              </option>
            ))}
          </SelectField>
          <SelectField
            label={t("store.search.recall")}
            value={recall}
            onChange={set("recall")}
            error={wrongAt("recall")}
          >
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
            value={language}
            error={wrongAt("language")}
            onChange={set("language")}
          />
          <TextField
            label={t("store.settings.count")}
            hint={t("store.settings.countHint")}
            inputMode="numeric"
            value={count}
            error={wrongAt("max_num_results")}
            onChange={set("count")}
          />
          <TextField
            label={t("store.settings.vectorWeight")}
            hint={t("store.settings.weightHint")}
            inputMode="decimal"
            value={vectors}
            error={wrongAt("hybrid_search")}
            onChange={set("vectors")}
          />
          <TextField
            label={t("store.settings.wordWeight")}
            hint={t("store.settings.weightHint")}
            inputMode="decimal"
            value={words}
            onChange={set("words")}
          />
          <SelectField
            label={t("store.search.rerank")}
            value={rerank}
            onChange={set("rerank")}
            error={wrongAt("rerank")}
          >
            {unset}
            <option value="true">{t("yes")}</option>
            <option value="false">{t("no")}</option>
          </SelectField>
          <SelectField label={t("store.search.rerankModel")} value={model} onChange={set("model")}>
            <option value="">{t("store.search.usualModel")}</option>
            {[...new Set([...(model === "" ? [] : [model]), ...(models.data?.data.map(({ id }) => id) ?? [])])].map(
              (id) => (
                <option key={id} value={id}>
                  {id}
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
