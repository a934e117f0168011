import { useInfiniteQuery } from "@tanstack/react-query";
import { type Range, defaultRangeExtractor, useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useReading } from "../../api/readingFiles.js";
import { type FileStatus, type StoreFile, storeFileList } from "../../api/storeFiles.js";
import { Button } from "../../parts/button.js";
import { Empty, ErrorNote, Skeleton } from "../../parts/notes.js";
import { useTexts } from "../../text/texts.js";
import { FileRow, fileColumns } from "./fileRow.js";

interface FileListProps {
  storeId: string;
  status: FileStatus | null;
  /** Why files cannot be changed; null: they can. */
  why: string | null;
  choose: ReactNode;
  showAll: () => void;
  onRemove: (file: StoreFile) => void;
  onChange: (file: StoreFile) => void;
}

/** All files of a vector store in one list that scrolls; only those in view are drawn, and asked for as it scrolls. */
export default function FileList({ storeId, status, why, choose, showAll, onRemove, onChange }: FileListProps) {
  const { t } = useTexts();
  const { data, error, isPending, isFetching, hasNextPage, fetchNextPage, refetch } = useInfiniteQuery(
    storeFileList(storeId, status),
  );
  const files = useMemo(() => data?.pages.flatMap((page) => page.data) ?? [], [data]);
  useReading(
    storeId,
    useMemo(() => files.some((file) => file.status === "in_progress"), [files]),
  );
  const note = error !== null && (
    <div className="my-3">
      <ErrorNote
        error={error}
        retry={() => void (data === undefined ? refetch() : fetchNextPage())}
        busy={isFetching}
      />
    </div>
  );
  if (isPending) return <Skeleton lines={8} />;
  if (files.length === 0)
    return (
      <>
        {note}
        {error === null && (
          <Empty
            title={t(status === null ? "store.files.none" : "store.files.noMatch")}
            action={status === null ? choose : <Button onClick={showAll}>{t("store.files.all")}</Button>}
          >
            {status === null ? t("store.files.noneAbout") : undefined}
          </Empty>
        )}
      </>
    );
  const more = hasNextPage && !isFetching && error === null ? () => void fetchNextPage() : null;
  return (
    <>
      <Rows {...{ files, why, onRemove, onChange, more }} isWhole={!hasNextPage} />
      {note}
    </>
  );
}

interface RowsProps extends Pick<FileListProps, "why" | "onRemove" | "onChange"> {
  files: readonly StoreFile[];
  isWhole: boolean;
  /** Asks for the next page, if there is one and none is on its way. */
  more: (() => void) | null;
}

function Rows({ files, isWhole, more, why, onRemove, onChange }: RowsProps) {
  const { t } = useTexts();
  const box = useRef<HTMLDivElement>(null);
  const [focused, setFocused] = useState(-1);
  // The row that has the focus stays, or the keyboard would fall out of the list when it scrolls away.
  const rangeExtractor = useCallback(
    (range: Range) => {
      const shown = defaultRangeExtractor(range);
      const keep = focused >= 0 && focused < range.count && !shown.includes(focused);
      return keep ? [...shown, focused].sort((a, b) => a - b) : shown;
    },
    [focused],
  );
  // No compiler memoizes here, and the list is drawn again whenever it scrolls.
  // eslint-disable-next-line react-hooks/incompatible-library
  const virtual = useVirtualizer({
    count: files.length,
    getScrollElement: () => box.current,
    estimateSize: () => 58,
    getItemKey: (index) => files[index]?.id ?? index,
    overscan: 8,
    rangeExtractor,
  });
  const items = virtual.getVirtualItems();
  const lastShown = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (lastShown >= files.length - 30) more?.();
  }, [lastShown, files.length, more]);
  return (
    <div
      ref={box}
      tabIndex={0}
      role="table"
      aria-label={t("store.tabs.files")}
      aria-rowcount={isWhole ? files.length + 1 : -1}
      className="max-h-[70vh] overflow-auto rounded-lg border border-line bg-surface text-sm"
    >
      <div role="rowgroup" className="sticky top-0 z-10 border-b border-line bg-surface max-md:sr-only">
        <div role="row" aria-rowindex={1} className={`${fileColumns} py-2 font-medium text-muted`}>
          {(["name", "state", "size", "added", "actions"] as const).map((column) => (
            <span key={column} role="columnheader" className={column === "actions" ? "sr-only" : ""}>
              {t(`store.files.${column}`)}
            </span>
          ))}
        </div>
      </div>
      <div role="rowgroup" className="relative" style={{ height: virtual.getTotalSize() }}>
        {items.map(({ key, index, start }) => {
          const file = files[index];
          return (
            file !== undefined && (
              <div
                key={key}
                ref={virtual.measureElement}
                data-index={index}
                role="row"
                aria-rowindex={index + 2}
                onFocus={() => {
                  setFocused(index);
                }}
                className={`${fileColumns} absolute inset-x-0 border-b border-line py-2 hover:bg-hover`}
                style={{ transform: `translateY(${start}px)` }}
              >
                <FileRow file={file} why={why} onRemove={onRemove} onChange={onChange} />
              </div>
            )
          );
        })}
      </div>
    </div>
  );
}
