import { type ReactNode, useEffect, useRef } from "react";
import { useLocation } from "react-router";
import { marked } from "../text/marked.js";
import { useTexts } from "../text/texts.js";

interface PageProps {
  title: string;
  /** What the heading shows instead of the title, such as a name with a button. */
  heading?: ReactNode;
  about?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}

/** A page: its title in the window and as its heading, and what can be done on it. */
export function Page({ title, heading, about, actions, children }: PageProps) {
  const { t } = useTexts();
  return (
    <>
      <title>{t("title", { page: title })}</title>
      <div className="mb-5 flex flex-wrap items-start justify-between gap-3">
        <div className="min-w-0">
          <h1 className="text-2xl font-semibold tracking-tight">{heading ?? marked(title)}</h1>
          {about !== undefined && <div className="mt-1 max-w-prose text-sm text-muted">{about}</div>}
        </div>
        {actions !== undefined && <div className="flex flex-wrap gap-2">{actions}</div>}
      </div>
      {children}
    </>
  );
}

interface SectionProps {
  /** For links that lead here: `#id`. */
  id?: string;
  title: string;
  actions?: ReactNode;
  children: ReactNode;
}

/** A part of a page with a heading. */
export function Section({ id, title: given, actions, children }: SectionProps) {
  const title = marked(given);
  const section = useRef<HTMLElement>(null);
  const { hash, key } = useLocation();
  const isMeant = id !== undefined && hash === `#${id}`;
  useEffect(() => {
    if (!isMeant) return;
    section.current?.scrollIntoView();
    section.current?.focus({ preventScroll: true });
    // Also when the same link is followed a second time.
  }, [isMeant, key]);
  return (
    <section
      ref={section}
      id={id}
      tabIndex={id === undefined ? undefined : -1}
      aria-label={title}
      className="mb-6 rounded-lg border border-line bg-surface p-4"
    >
      <div className="mb-3 flex flex-wrap items-center justify-between gap-2">
        <h2 className="font-semibold">{title}</h2>
        {actions}
      </div>
      {children}
    </section>
  );
}

/** Names with their values. */
export function Facts({ of }: { of: readonly (readonly [name: string, value: ReactNode])[] }) {
  return (
    <dl className="grid grid-cols-[fit-content(55%)_minmax(0,1fr)] gap-x-6 gap-y-2 text-sm">
      {of.map(([name, value]) => (
        <div key={name} className="contents">
          <dt className="min-w-28 text-muted">{name}</dt>
          <dd className="min-w-0">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** One figure with what it counts. */
export function Figure({ label, value, note }: { label: string; value: ReactNode; note?: ReactNode }) {
  return (
    <div className="rounded-lg border border-line bg-surface p-4">
      <p className="text-sm text-muted">{label}</p>
      <p className="mt-1 text-2xl font-semibold tabular-nums">{value}</p>
      {note !== undefined && <p className="mt-0.5 text-xs text-muted">{note}</p>}
    </div>
  );
}
