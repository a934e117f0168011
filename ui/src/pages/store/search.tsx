import { skipToken, useInfiniteQuery } from "@tanstack/react-query";
import { Suspense, lazy, useEffect, useRef } from "react";
import { useLocation, useNavigate, useSearchParams } from "react-router";
import { type Found, searchResults } from "../../api/search.js";
import { useUrlState } from "../../app/urlState.js";
import { Button } from "../../parts/button.js";
import { duration } from "../../parts/format.js";
import { Empty, ErrorNote, Skeleton } from "../../parts/notes.js";
import { marked } from "../../text/marked.js";
import { useTexts } from "../../text/texts.js";
import { useStore } from "./context.js";
import { HitCard } from "./hit.js";
import { SearchForm } from "./searchForm.js";
import { isAskable, knownSearch, searchBody, usualSearch } from "./searchUrl.js";
import { useStoppable } from "./useStoppable.js";
import { Waiting } from "./waiting.js";

const SourceDialog = lazy(() => import("./source.js"));
const Snippets = lazy(() => import("./snippets.js"));

/** The browser's address with another hit, or none: what was drawn last may be behind it. */
function addressWith(hit: string | null): URLSearchParams {
  const params = new URLSearchParams(window.location.search);
  params.delete("hit");
  if (hit !== null) params.set("hit", hit);
  return params;
}

/** Searches as clients do, and shows what decides the order. */
export function Component() {
  const { t } = useTexts();
  const { store } = useStore();
  const [params, setParams] = useSearchParams();
  const [url, show] = useUrlState(usualSearch, knownSearch);
  const body = searchBody(url);
  const options = searchResults(store.id, body);
  const isAsked = isAskable(url);
  const stoppable = useStoppable(options.queryKey);
  const query = useInfiniteQuery({
    ...options,
    ...(!isAsked && { queryFn: skipToken }),
    enabled: !stoppable.isStopped,
  });
  const { data, isFetching, isFetchingNextPage } = query;
  const error = stoppable.error ?? query.error;
  const again = () => {
    stoppable.forget();
    void query.refetch();
  };
  const hits = data?.pages.flatMap((page) => page.data) ?? [];
  const opened = hits.find(({ id }) => id === params.get("hit"));
  const navigate = useNavigate();
  const { state } = useLocation() as { state: { openedHere?: boolean } | null };
  // The hit is no part of the search: opening it searches for nothing.
  const open = (id: string) => {
    setParams(addressWith(id), { state: { openedHere: true } });
  };
  // Back to the address without it, so that the button back does not open it again; a link has none before it.
  const close = () => {
    if (state?.openedHere === true) void navigate(-1);
    else setParams(addressWith(null), { replace: true });
  };
  return (
    <>
      <SearchForm
        shown={url}
        busy={isAsked && isFetching && !isFetchingNextPage}
        search={(next) => {
          if (JSON.stringify(searchBody(next)) === JSON.stringify(body)) again();
          show(next);
        }}
      />
      <Waiting isLate={stoppable.isLate} cancel={stoppable.cancel} />
      {stoppable.isCancelled && <Cancelled again={again} />}
      {isAsked && error !== null && <ErrorNote error={error} retry={again} busy={isFetching} />}
      {isAsked && query.isLoading && <Skeleton lines={8} />}
      {data !== undefined && (
        <section aria-label={t("store.search.results")} className="mb-6">
          <Summary pages={data.pages} count={hits.length} />
          {hits.length === 0 && <Empty title={t("store.search.none")}>{t("store.search.noneAbout")}</Empty>}
          <ol className="flex flex-col gap-3">
            {hits.map((hit, i) => (
              <li key={hit.id}>
                <HitCard
                  hit={hit}
                  place={i + 1}
                  open={() => {
                    open(hit.id);
                  }}
                />
              </li>
            ))}
          </ol>
          {query.hasNextPage && (
            <Button className="mt-3" busy={isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
              {t("store.search.more")}
            </Button>
          )}
        </section>
      )}
      <Suspense>{isAsked && <Snippets storeId={store.id} body={body} />}</Suspense>
      <Suspense>
        {opened !== undefined && (
          <SourceDialog
            storeId={store.id}
            hit={{
              fileId: opened.file_id,
              filename: opened.filename,
              chunkIds: [opened.id],
              text: opened.content.map(({ text }) => text).join("\n"),
              place: opened,
            }}
            onClose={close}
          />
        )}
      </Suspense>
    </>
  );
}

/** In place of the button that has cancelled it, which had the focus. */
function Cancelled({ again }: { again: () => void }) {
  const { t } = useTexts();
  const note = useRef<HTMLDivElement>(null);
  useEffect(() => note.current?.focus(), []);
  return (
    <div ref={note} tabIndex={-1} className="mb-4 flex flex-wrap items-center gap-3 text-sm">
      <p role="status">{t("store.search.cancelled")}</p>
      <Button onClick={again}>{t("error.retry")}</Button>
    </div>
  );
}

/** How many, how long, and what was not done as asked for. */
function Summary({ pages, count }: { pages: readonly Found[]; count: number }) {
  const { t } = useTexts();
  const page = pages.at(-1);
  const first = pages[0];
  if (page === undefined || first === undefined) return null;
  const { waited, parts } = page.times;
  const named = (["db", "model", "total"] as const).flatMap((name) => {
    const ms = parts[name];
    return ms === undefined ? [] : [t(`store.search.times.${name}`, { time: duration(ms) })];
  });
  return (
    <div className="mb-3 text-sm">
      <p role="status">
        {t("store.search.found", { count })} · {t("store.search.waited", { time: duration(waited) })}
        {named.length > 0 && <span className="text-muted"> ({named.join(", ")})</span>}
      </p>
      {first.usage.total_tokens > 0 && (
        <p className="text-xs text-muted">{t("store.search.tokens", { count: first.usage.total_tokens })}</p>
      )}
      {first.reranked === false && <p className="mt-1 text-warn">{t("store.search.notReranked")}</p>}
      {first.warning !== null && (
        <p lang="en" className="foreign mt-1 text-warn">
          {marked(first.warning)}
        </p>
      )}
    </div>
  );
}
