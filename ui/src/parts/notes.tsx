import { CircleAlert, RotateCw } from "lucide-react";
import { Children, Fragment, type ReactNode } from "react";
import { marked } from "../text/marked.js";
import { useTexts } from "../text/texts.js";
import { Failure } from "../api/failure.js";
import { Button } from "./button.js";
import { failureText, languageOf } from "./failureText.js";

/** What went wrong, what the service's log calls it, and a way to try again. */
export function ErrorNote({ error, retry, busy }: { error: Error; retry?: () => void; busy?: boolean }) {
  const { t } = useTexts();
  const failure = error instanceof Failure ? error : null;
  // What fails in the middle of a stream comes with the status of its begin.
  const hasStatus = failure !== null && failure.status >= 400;
  const facts =
    failure === null
      ? []
      : [
          hasStatus && t("error.status", { status: failure.status }),
          failure.requestId !== null && <RequestId of={failure} />,
          failure.retryAfterSeconds !== null && t("error.later", { seconds: failure.retryAfterSeconds }),
        ].filter((fact) => fact !== false);
  return (
    <div
      role="alert"
      className="flex flex-wrap items-start gap-3 rounded-md border border-danger/40 bg-danger-soft p-3 text-sm"
    >
      <CircleAlert aria-hidden className="mt-0.5 size-4 shrink-0 text-danger" />
      <div className="min-w-0 flex-1">
        <p lang={languageOf(error, t)} className="foreign font-medium">
          {failureText(error, t)}
        </p>
        {facts.length > 0 && (
          <p className="mt-0.5 text-xs text-muted">
            {facts.map((fact, i) => (
              <Fragment key={i}>
                {i > 0 && " · "}
                {fact}
              </Fragment>
            ))}
          </p>
        )}
      </div>
      {retry !== undefined && (
        <Button icon={<RotateCw aria-hidden className="size-4" />} onClick={retry} busy={busy === true}>
          {t("error.retry")}
        </Button>
      )}
    </div>
  );
}

/** What the service's log calls the request that has failed, as far as it is known. */
export function RequestId({ of, className }: { of: Error; className?: string }) {
  const { t } = useTexts();
  if (!(of instanceof Failure) || of.requestId === null) return null;
  return (
    <span className={className}>
      {t("error.request")} <code className="font-mono">{of.requestId}</code>
    </span>
  );
}

/** In place of a list without entries: what would be here, and the next step. */
export function Empty({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className="flex flex-col items-center gap-2 rounded-lg border border-dashed border-edge px-4 py-12 text-center">
      <p className="font-medium">{title}</p>
      {children !== undefined && <p className="max-w-prose text-sm text-muted">{children}</p>}
      {action !== undefined && <div className="mt-2">{action}</div>}
    </div>
  );
}

/** Grey lines where content will be. */
export function Skeleton({ lines = 5, className = "" }: { lines?: number; className?: string }) {
  const { t } = useTexts();
  return (
    <div className={`flex flex-col gap-3 ${className}`} role="status">
      <span className="sr-only">{t("loading")}</span>
      {Array.from({ length: lines }, (_, line) => (
        <div key={line} aria-hidden className="h-5 animate-pulse rounded bg-hover odd:w-4/5" />
      ))}
    </div>
  );
}

const tones = {
  plain: "bg-hover text-ink",
  ok: "bg-ok-soft text-ok",
  warn: "bg-warn-soft text-warn",
  danger: "bg-danger-soft text-danger",
  accent: "bg-accent-soft text-accent",
} as const;
export type Tone = keyof typeof tones;

export function Badge({ tone = "plain", children }: { tone?: Tone; children: ReactNode }) {
  return (
    <span
      className={`inline-flex items-center rounded-full px-2 py-0.5 text-xs font-medium whitespace-nowrap ${tones[tone]}`}
    >
      {children}
    </span>
  );
}

/** What people or documents wrote, as text in its own direction, and with marks where something unseen would change it. */
export function Foreign({
  children,
  className = "",
  lang,
}: {
  children: ReactNode;
  className?: string;
  lang?: string | undefined;
}) {
  return (
    <bdi dir="auto" lang={lang} className={`foreign ${className}`}>
      {Children.map(children, (child) => (typeof child === "string" ? marked(child) : child))}
    </bdi>
  );
}
