import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import type { Schemas } from "../../api/client.js";
import { fileText } from "../../api/storeFiles.js";
import { Button } from "../../parts/button.js";
import { Badge, ErrorNote, Foreign, Skeleton } from "../../parts/notes.js";
import { type Translate, useTexts } from "../../text/texts.js";

interface DocumentTextProps {
  storeId: string;
  fileId: string;
  /** The chunks that are marked; the first is scrolled to. */
  marked?: readonly string[];
}

/** What was read from a file, chunk by chunk, as text. */
export function DocumentText({ storeId, fileId, marked = [] }: DocumentTextProps) {
  const { t } = useTexts();
  const { data, error, isPending, isFetching, hasNextPage, fetchNextPage, refetch } = useInfiniteQuery(
    fileText(storeId, fileId),
  );
  const chunks = data?.pages.flatMap((page) => page.data) ?? [];
  const [first] = marked;
  const isFound = first === undefined || chunks.some((chunk) => idOf(chunk) === first);
  // A chunk far behind is on one of the pages that follow.
  const looksOn = !isFound && hasNextPage && !isFetching && error === null;
  useEffect(() => {
    if (looksOn) void fetchNextPage();
  }, [looksOn, fetchNextPage]);
  const target = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (isFound) target.current?.scrollIntoView({ block: "center" });
  }, [isFound, first]);
  return (
    <>
      {isPending && <Skeleton lines={8} />}
      {data !== undefined && chunks.length === 0 && <p className="text-sm text-muted">{t("store.text.none")}</p>}
      {!isPending && !isFound && !hasNextPage && <p className="mb-3 text-sm text-warn">{t("store.text.gone")}</p>}
      <ol className="flex flex-col gap-2">
        {chunks.map((chunk, i) => {
          const id = idOf(chunk) ?? String(i);
          const isMarked = marked.includes(id);
          return (
            <li
              key={id}
              ref={id === first ? target : null}
              aria-current={isMarked || undefined}
              className={
                "rounded-md border p-3 text-sm [content-visibility:auto] [contain-intrinsic-size:auto_8rem] " +
                (isMarked ? "border-accent bg-accent-soft" : "border-line")
              }
            >
              <p className="mb-1 flex flex-wrap items-center gap-2 text-xs text-muted">
                <span>{t("store.text.chunk", { count: i + 1 })}</span>
                <Place of={chunk.metadata ?? {}} />
                {isMarked && <Badge tone="accent">{t("store.text.hit")}</Badge>}
              </p>
              <Foreign className="block whitespace-pre-wrap">{chunk.text}</Foreign>
            </li>
          );
        })}
      </ol>
      {error !== null && (
        <div className="mt-3">
          <ErrorNote
            error={error}
            retry={() => void (data === undefined ? refetch() : fetchNextPage())}
            busy={isFetching}
          />
        </div>
      )}
      {hasNextPage && (
        <Button className="mt-3" busy={isFetching} onClick={() => void fetchNextPage()}>
          {t("store.text.more")}
        </Button>
      )}
    </>
  );
}

const idOf = ({ chunk_metadata: known }: Schemas["VectorStoreFileContent"]["data"][number]) => known?.chunk_id;

const places = ["page", "slide", "sheet", "section", "attachment"] as const;

/** Where in its document a chunk stands. */
export function Place({ of }: { of: object }) {
  const { t } = useTexts();
  return <Foreign>{placesIn(of, t).join(" · ")}</Foreign>;
}

const placesIn = (of: object, t: Translate): string[] =>
  places.flatMap((name) => {
    const value: unknown = Object.entries(of).find(([key]) => key === name)?.[1];
    return typeof value === "string" || typeof value === "number"
      ? [t(`store.text.places.${name}`, { value: String(value) })]
      : [];
  });
