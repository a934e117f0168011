import { useQuery } from "@tanstack/react-query";
import { Trash2 } from "lucide-react";
import { Suspense, lazy, useEffect, useState } from "react";
import { useMay } from "../../api/me.js";
import { type UploadedFile, purposes, uploadedFiles } from "../../api/uploadedFiles.js";
import { useUrlState } from "../../app/urlState.js";
import { Button, ButtonLink } from "../../parts/button.js";
import { SelectField } from "../../parts/fields.js";
import { Empty, ErrorNote, Skeleton } from "../../parts/notes.js";
import { Page } from "../../parts/page.js";
import { Pager } from "../../parts/pager.js";
import { DataTable } from "../../parts/table.js";
import { useTexts } from "../../text/texts.js";
import { titleOf, useFileColumns } from "./columns.js";

const DeleteFiles = lazy(() => import("./delete.js"));

const usual = { purpose: "", order: "desc", page: "" };

/** The files that somebody has uploaded, whether or not vector stores have them. */
export function Component() {
  const { t } = useTexts();
  const isAdmin = useMay("admin:read");
  const mayWrite = useMay("store:write");
  const [shown, show] = useUrlState(usual);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [deleting, setDeleting] = useState<readonly UploadedFile[] | null>(null);
  const { page } = shown;
  const order = shown.order === "asc" ? "asc" : "desc";
  const purpose = purposes.find((each) => each === shown.purpose);
  const { data, error, isPending, isPlaceholderData, isFetching, refetch } = useQuery(
    uploadedFiles({ order, ...(purpose !== undefined && { purpose }), ...(page !== "" && { after: page }) }),
  );
  const columns = useFileColumns(mayWrite ? null : t("files.mayNot"), (file) => {
    setDeleting([file]);
  });
  // All that was on the last page is gone, while there may be more before it.
  const isPast = data?.data.length === 0 && page !== "" && !isPlaceholderData;
  useEffect(() => {
    if (isPast) show({ page: "" }, { replace: true });
  }, [isPast, show]);
  const selected = data?.data.filter(({ id }) => chosen.has(id)) ?? [];
  const isFiltered = purpose !== undefined;
  return (
    <Page title={t("files.title")} about={t(isAdmin ? "files.aboutAll" : "files.about")}>
      <SelectField
        className="mb-4 max-w-64"
        label={t("files.purpose")}
        value={purpose ?? ""}
        onChange={(event) => {
          show({ purpose: event.target.value });
        }}
      >
        <option value="">{t("files.anyPurpose")}</option>
        {purposes.map((each) => (
          <option key={each} value={each}>
            {each}
          </option>
        ))}
      </SelectField>
      {error !== null && <ErrorNote error={error} retry={() => void refetch()} busy={isFetching} />}
      {(isPending || isPast) && <Skeleton lines={8} />}
      {data?.data.length === 0 && !isPast && (
        <Empty
          title={t(isFiltered ? "files.noMatch" : "files.none")}
          action={
            isFiltered ? (
              <Button
                onClick={() => {
                  show({ purpose: "" });
                }}
              >
                {t("files.all")}
              </Button>
            ) : (
              <ButtonLink to="/vector-stores">{t("files.toStores")}</ButtonLink>
            )
          }
        >
          {isFiltered ? undefined : t("files.noneAbout")}
        </Empty>
      )}
      {data !== undefined && data.data.length > 0 && (
        <>
          {selected.length > 0 && (
            <div className="mb-3 flex flex-wrap items-center gap-3 text-sm">
              <span role="status">{t("table.chosen", { count: selected.length })}</span>
              <Button
                icon={<Trash2 aria-hidden className="size-4" />}
                onClick={() => {
                  setDeleting(selected);
                }}
              >
                {t("files.delete", { count: selected.length })}
              </Button>
            </div>
          )}
          <DataTable
            label={t("files.title")}
            rows={data.data}
            columns={columns}
            idOf={({ id }) => id}
            stale={isPlaceholderData}
            sorting={{
              by: "created_at",
              order,
              onSort: (_, direction) => {
                show({ order: direction });
              },
            }}
            {...(mayWrite && { choosing: { chosen, onChoose: setChosen, nameOf: titleOf } })}
          />
          <Pager what={t("files.title")} next={data.has_more ? data.last_id : null} />
        </>
      )}
      <Suspense>
        {deleting !== null && (
          <DeleteFiles
            files={deleting}
            onDone={(done) => {
              setChosen((before) => new Set([...before].filter((id) => !done.has(id))));
            }}
            onClose={() => {
              setDeleting(null);
            }}
          />
        )}
      </Suspense>
    </Page>
  );
}
