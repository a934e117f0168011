import { useQueries, useQuery } from "@tanstack/react-query";
import { Square } from "lucide-react";
import type { SubmitEvent } from "react";
import { useMe } from "../../api/me.js";
import { isRecord } from "../../api/failure.js";
import { allModels, embeddingModels, rerankModels } from "../../api/models.js";
import { type Show, useUrlState } from "../../app/urlState.js";
import { Button } from "../../parts/button.js";
import { useDraft } from "../../parts/draft.js";
import { SelectField, TextArea, TextField } from "../../parts/fields.js";
import { Empty, ErrorNote } from "../../parts/notes.js";
import {
  isUrlNumber,
  numberInUrl,
  numberProblem,
  numberText,
  sendOnEnter,
  typedInto,
  urlNumber,
} from "../../parts/formFields.js";
import { marked } from "../../text/marked.js";
import { useTexts } from "../../text/texts.js";
import { AnswerView } from "./answer.js";
import { useStore } from "./context.js";
import { modes } from "./searchUrl.js";
import { type Question, useAnswer } from "./useAnswer.js";
import { Waiting } from "./waiting.js";

const usual = { q: "", model: "", k: "5", mode: "" };
const known = { k: isUrlNumber, mode: modes };

/** As the service is asked. */
function bodyOf({ q, model, k, mode: wanted }: typeof usual): Question {
  const [count, mode] = [numberInUrl(k), modes.find((each) => each === wanted)];
  return {
    query: q.trim(),
    ...(count !== undefined && { top_k: count }),
    ...(model !== "" && { model }),
    ...(mode !== undefined && { search_mode: mode }),
  };
}

/** A question, answered by a chat model from what the vector store has. */
export function Component() {
  const { t } = useTexts();
  const { litellm } = useMe().features;
  const [shown, show] = useUrlState(usual, known);
  if (!litellm) return <Empty title={t("store.ask.noModel")}>{t("store.ask.noModelAbout")}</Empty>;
  return <Ask shown={shown} show={show} />;
}

interface AskProps {
  shown: typeof usual;
  show: Show<typeof usual>;
}

function Ask({ shown, show }: AskProps) {
  const { t } = useTexts();
  const { store } = useStore();
  const { chat_model: hasUsual, keyword_search: hasKeywords } = useMe().features;
  const models = useQuery(allModels);
  // The proxy's list does not say what a model is for; these are for something else.
  const [embedding, rerank] = useQueries({ queries: [embeddingModels, rerankModels] });
  const [draft, setDraft] = useDraft({ ...shown, k: numberText(numberInUrl(shown.k)) });
  const body = bodyOf(shown);
  const { answer, isLate, begin, stop } = useAnswer(store.id, body);
  const isRunning = answer?.state === "running";
  const field = typedInto(draft, setDraft);
  const wrongCount = numberProblem(draft.k, t);
  const why = draft.q.trim() === "" ? t("store.ask.noQuestion") : wrongCount;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (why !== null || isRunning) return;
    const next = { ...draft, q: draft.q.trim(), k: urlNumber(draft.k) };
    show(next);
    begin(bodyOf(next));
  };
  const others = new Set([embedding, rerank].flatMap(({ data }) => data?.data.map(({ id }) => id) ?? []));
  const chat = models.data?.data.filter((model) => isChat(model) && !others.has(model.id)) ?? [];
  return (
    <>
      <form onSubmit={submit} className="mb-6 flex flex-col gap-4 rounded-lg border border-line bg-surface p-4">
        <TextArea label={t("store.ask.question")} rows={2} onKeyDown={sendOnEnter} {...field("q")} />
        <div className="grid grid-cols-2 gap-3 sm:grid-cols-3">
          <SelectField label={t("store.ask.model")} {...field("model")}>
            <option value="">{t(hasUsual ? "store.ask.usualModel" : "store.ask.firstModel")}</option>
            {chat.map(({ id }) => (
              <option key={id} value={id}>
                {marked(id)}
              </option>
            ))}
          </SelectField>
          <TextField label={t("store.ask.k")} inputMode="numeric" error={wrongCount} {...field("k")} />
          <SelectField label={t("store.search.mode")} {...field("mode")}>
            <option value="">
              {t("store.search.asStore", { value: t(`store.modes.${store.search_mode ?? "vector"}`) })}
            </option>
            {modes.map((mode) => (
              <option key={mode} value={mode} disabled={mode !== "vector" && !hasKeywords}>
                {t(`store.modes.${mode}`)}
              </option>
            ))}
          </SelectField>
        </div>
        {models.error !== null && <ErrorNote error={models.error} retry={() => void models.refetch()} />}
        <div className="flex gap-2">
          <Button type="submit" look="primary" busy={isRunning} why={why}>
            {t("store.ask.submit")}
          </Button>
          {isRunning && (
            <Button icon={<Square aria-hidden className="size-4" />} onClick={stop}>
              {t("store.ask.stop")}
            </Button>
          )}
        </div>
      </form>
      <Waiting isLate={isLate} />
      {answer !== null && (
        <AnswerView
          // Another question has other sources.
          key={JSON.stringify(body)}
          storeId={store.id}
          answer={answer}
          again={() => {
            begin(body);
          }}
        />
      )}
      {answer === null && shown.q.trim() !== "" && <p className="text-sm text-muted">{t("store.ask.notAsked")}</p>}
    </>
  );
}

/** The proxy says what a model is for; one without a word may be a chat model. */
const isChat = (model: object): boolean =>
  !isRecord(model) || typeof model.mode !== "string" || ["chat", "completion", "responses"].includes(model.mode);
