import { BookOpenText } from "lucide-react";
import { useState } from "react";
import type { Hit } from "../../api/search.js";
import { Button } from "../../parts/button.js";
import { CopyButton } from "../../parts/copy.js";
import { number } from "../../parts/format.js";
import { Foreign } from "../../parts/notes.js";
import { marked } from "../../text/marked.js";
import { useTexts } from "../../text/texts.js";
import { Place } from "./documentText.js";
import { Pairs } from "./overview.js";

/** Longer texts are shown in full only when asked for. */
const most = 1200;

/** One result, with what its place comes from. */
export function HitCard({ hit, place, open }: { hit: Hit; place: number; open: () => void }) {
  const { t } = useTexts();
  const [whole, setWhole] = useState(false);
  const text = hit.content.map((part) => part.text).join("\n");
  const title = marked(hit.filename || t("store.search.row"));
  return (
    <article className="rounded-lg border border-line bg-surface p-4 text-sm" aria-label={`${place}. ${title}`}>
      <div className="mb-2 flex flex-wrap items-start justify-between gap-x-4 gap-y-1">
        <div className="min-w-0">
          <h2 className="font-medium">
            <span className="text-muted">{place}.</span> <Foreign>{title}</Foreign>
          </h2>
          <p className="text-xs text-muted">
            {hit.chunk_index !== undefined && <>{t("store.text.chunk", { count: hit.chunk_index + 1 })} </>}
            <Place of={hit} />
          </p>
        </div>
        <Scores hit={hit} />
      </div>
      <Foreign className="block whitespace-pre-wrap">
        {whole || text.length <= most ? text : `${text.slice(0, most)}…`}
      </Foreign>
      {hit.attributes !== null && (
        <div className="mt-2">
          <Pairs of={hit.attributes} most={12} />
        </div>
      )}
      <div className="mt-3 flex flex-wrap items-center gap-2">
        <Button icon={<BookOpenText aria-hidden className="size-4" />} onClick={open}>
          {t(hit.file_id === "" ? "store.search.openRow" : "store.search.open")}
          <span className="sr-only">: {`${place}. ${title}`}</span>
        </Button>
        {text.length > most && (
          <Button
            look="quiet"
            onClick={() => {
              setWhole(!whole);
            }}
          >
            {t(whole ? "store.search.less" : "store.search.whole")}
          </Button>
        )}
        <span className="inline-flex min-w-0 items-center gap-1 font-mono text-xs text-muted">
          <Foreign>{hit.id}</Foreign>
          <CopyButton text={hit.id} what={t("copy.id")} />
        </span>
      </div>
    </article>
  );
}

const score = (value: number): string => number(value, { minimumFractionDigits: 4, maximumFractionDigits: 4 });

function Scores({ hit }: { hit: Hit }) {
  const { t } = useTexts();
  const { vector_rank: vector, keyword_rank: keyword, vector_score: before } = hit;
  const parts: [string, string][] = [[t("store.search.score"), score(hit.score)]];
  if (before !== undefined) parts.push([t("store.search.before"), score(before)]);
  if (vector !== null) parts.push([t("store.search.vectorRank"), number(vector)]);
  if (keyword !== null) parts.push([t("store.search.keywordRank"), number(keyword)]);
  return (
    <div>
      <dl className="flex flex-wrap gap-x-4 gap-y-1 text-xs">
        {parts.map(([name, value], i) => (
          <div key={name}>
            <dt className="text-muted">{name}</dt>
            <dd className={`tabular-nums ${i === 0 ? "text-sm font-semibold" : ""}`}>{value}</dd>
          </div>
        ))}
      </dl>
      <meter className="h-1.5 w-full" min={0} max={1} value={hit.score} aria-label={t("store.search.score")} />
    </div>
  );
}
