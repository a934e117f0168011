import { type ReactNode, Suspense, lazy, useState } from "react";
import type { Source } from "../../api/ask.js";
import { CopyButton } from "../../parts/copy.js";
import { number } from "../../parts/format.js";
import { Badge, ErrorNote, Foreign } from "../../parts/notes.js";
import { Section } from "../../parts/page.js";
import { marked } from "../../text/marked.js";
import { useTexts } from "../../text/texts.js";
import { Place } from "./documentText.js";
import type { Answer } from "./useAnswer.js";

const SourceDialog = lazy(() => import("./source.js"));

interface AnswerViewProps {
  storeId: string;
  answer: Answer;
  /** Asks the same once more. */
  again: () => void;
}

/** An answer as it comes, with what it is from. */
export function AnswerView({ storeId, answer, again }: AnswerViewProps) {
  const { t } = useTexts();
  const [opened, setOpened] = useState<Source | null>(null);
  const { question, state, sources, text, cited, end, error, searchQuery } = answer;
  const { usage, model } = end ?? {};
  return (
    <>
      <Section
        title={t("store.ask.answer")}
        actions={text !== "" && <CopyButton text={text} what={t("store.ask.answer")} />}
      >
        <p className="mb-2 text-sm text-muted">
          {t("store.ask.to")} <Foreign>{question}</Foreign>
        </p>
        {/* Said once it is whole: piece by piece it could not be followed. */}
        <div aria-live="polite" aria-busy={state === "running"}>
          {state === "running" && text === "" && (
            <p className="text-muted">{t(searchQuery === null ? "store.ask.searching" : "store.ask.thinking")}</p>
          )}
          <div dir="auto" className="foreign whitespace-pre-wrap">
            {withCitations(marked(text), sources, setOpened, (index) => t("store.ask.openSource", { count: index }))}
          </div>
          {state === "stopped" && <p className="mt-2 text-sm text-muted">{t("store.ask.stopped")}</p>}
        </div>
        {error !== null && (
          <div className="mt-3">
            <ErrorNote error={error} retry={again} />
          </div>
        )}
        {model !== undefined && (
          <p className="mt-3 text-xs text-muted">
            <Foreign>{model}</Foreign>
            {usage != null && ` · ${t("store.search.tokens", { count: usage.total_tokens })}`}
          </p>
        )}
      </Section>
      {searchQuery !== null && (
        <Section title={t("store.ask.sources")}>
          {sources.length === 0 && <p className="text-sm text-muted">{t("store.search.none")}</p>}
          <ol className="flex flex-col gap-2">
            {sources.map((source) => (
              <li key={source.index} className="rounded-md border border-line p-3 text-sm">
                <button
                  type="button"
                  className="text-left font-medium text-accent underline-offset-2 hover:underline"
                  onClick={() => {
                    setOpened(source);
                  }}
                >
                  [{source.index}] <Foreign>{source.filename || t("store.search.row")}</Foreign>
                </button>{" "}
                {cited.includes(source.index) && <Badge tone="ok">{t("store.ask.cited")}</Badge>}
                <p className="text-xs text-muted">
                  {t("store.search.score")}{" "}
                  {number(source.score, { minimumFractionDigits: 4, maximumFractionDigits: 4 })} <Place of={source} />
                </p>
                <Foreign className="mt-1 line-clamp-3">{source.text.slice(0, 600)}</Foreign>
              </li>
            ))}
          </ol>
        </Section>
      )}
      <Suspense>
        {opened !== null && (
          <SourceDialog
            storeId={storeId}
            hit={{
              fileId: opened.file_id,
              filename: opened.filename,
              chunkIds: opened.chunk_ids,
              text: opened.text,
              place: opened,
            }}
            onClose={() => {
              setOpened(null);
            }}
          />
        )}
      </Suspense>
    </>
  );
}

/** Numbers in brackets that are numbers of sources open them. */
function withCitations(
  text: string,
  sources: readonly Source[],
  open: (source: Source) => void,
  labelOf: (index: number) => string,
): ReactNode[] {
  return text.split(/(\[\d+\])/).map((part, i) => {
    const index = /^\[(\d+)\]$/.exec(part)?.[1];
    const source = index === undefined ? undefined : sources.find((each) => each.index === Number(index));
    if (source === undefined) return part;
    return (
      <button
        key={i}
        type="button"
        aria-label={labelOf(source.index)}
        className="mx-0.5 rounded bg-accent-soft px-1 text-xs text-accent underline-offset-2 hover:underline"
        onClick={() => {
          open(source);
        }}
      >
        {part}
      </button>
    );
  });
}
