import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Suspense, lazy, useEffect, useRef } from "react";
import { NavLink, Outlet, useBlocker, useLocation, useParams } from "react-router";
import { Failure } from "../../api/failure.js";
import { useReading } from "../../api/readingFiles.js";
import { forgetCounts, hideFile, showFile } from "../../api/storeFiles.js";
import { permissionOn, titleOf } from "../../api/stores.js";
import { storeDetail } from "../../api/storeDetail.js";
import { takeNews, useIsUploading, useUploads } from "../../api/uploads/queue.js";
import { CopyButton } from "../../parts/copy.js";
import { noSuchStore } from "../../parts/failureText.js";
import { Badge, ErrorNote, Foreign, Skeleton } from "../../parts/notes.js";
import { Page } from "../../parts/page.js";
import { ScrollBox } from "../../parts/scrollBox.js";
import { marked } from "../../text/marked.js";
import { useTexts } from "../../text/texts.js";
import { type StoreContext, useWhyNotOf } from "./context.js";
import { Gone } from "./gone.js";

const UseAgain = lazy(() => import("./useAgain.js"));
const LeaveDialog = lazy(() => import("./leave.js"));

const tabs = ["overview", "files", "rows", "search", "ask", "permissions", "settings"] as const;

/** A vector store: its name, and its tabs, each with an address. */
export function Component() {
  const { t } = useTexts();
  const { id = "" } = useParams();
  const { pathname } = useLocation();
  const { data: store, error, isPending, isFetching, refetch } = useQuery(storeDetail(id));
  const own = useQuery(permissionOn(id));
  const whyNot = useWhyNotOf(own.data, "admin");
  const tab = tabs.find((each) => pathname.split("/")[3] === each) ?? "overview";
  const name = store === undefined ? id : titleOf(store);
  if (error instanceof Failure && error.code === noSuchStore) return <Gone id={id} error={error} />;
  const context: StoreContext | null = store === undefined ? null : { store, own: own.data };
  return (
    <Page
      title={`${t(`store.tabs.${tab}`)} · ${name}`}
      heading={
        <span className="inline-flex flex-wrap items-center gap-x-3 gap-y-1">
          <Foreign>{name}</Foreign>
          {store?.status === "expired" && <Badge tone="danger">{t("store.expired")}</Badge>}
        </span>
      }
      about={
        <span className="inline-flex items-center gap-1 font-mono text-xs">
          {marked(id)}
          <CopyButton text={id} what={t("copy.id")} />
        </span>
      }
    >
      <nav aria-label={t("store.tabsOf")} className="mb-5">
        <ScrollBox current={tab} className="border-b border-line">
          <ul className="flex w-max">
            {tabs.map((each) => (
              <li key={each}>
                <NavLink
                  end={each === "overview"}
                  to={each === "overview" ? `/vector-stores/${id}` : `/vector-stores/${id}/${each}`}
                  className={({ isActive }) =>
                    "-mb-px block border-b-2 px-3 py-2 text-sm whitespace-nowrap -outline-offset-2 " +
                    (isActive
                      ? "border-accent font-medium text-accent"
                      : "border-transparent text-muted hover:text-ink")
                  }
                >
                  {t(`store.tabs.${each}`)}
                </NavLink>
              </li>
            ))}
          </ul>
        </ScrollBox>
      </nav>
      <Suspense>{store?.status === "expired" && <UseAgain store={store} why={whyNot} />}</Suspense>
      {error !== null && <ErrorNote error={error} retry={() => void refetch()} busy={isFetching} />}
      {isPending && <Skeleton lines={8} />}
      <Suspense fallback={<Skeleton lines={8} />}>{context !== null && <Outlet context={context} />}</Suspense>
      <Uploading id={id} />
    </Page>
  );
}

/** Files end faster than their store needs to be counted again. */
const countMs = 2_000;

/** Shows in the lists what becomes of uploads, and asks before the page that shows them is left. */
function Uploading({ id }: { id: string }) {
  const queries = useQueryClient();
  const uploads = useUploads(id);
  useReading(
    id,
    uploads.some(({ state }) => state === "reading"),
  );
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => {
    const { added, gone } = takeNews(id);
    for (const file of added) showFile(queries, file);
    for (const file of gone) hideFile(queries, id, file);
    if (added.length + gone.length === 0 || timer.current !== undefined) return;
    timer.current = setTimeout(() => {
      timer.current = undefined;
      void forgetCounts(queries, id);
    }, countMs);
  }, [uploads, queries, id]);
  const isUploading = useIsUploading();
  const here = `/vector-stores/${id}`;
  const blocker = useBlocker(
    ({ nextLocation: { pathname } }) => isUploading && pathname !== here && !pathname.startsWith(`${here}/`),
  );
  if (blocker.state !== "blocked") return null;
  return (
    <Suspense>
      <LeaveDialog stay={blocker.reset} leave={blocker.proceed} />
    </Suspense>
  );
}
