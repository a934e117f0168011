import type { ReactNode } from "react";
import { Link } from "react-router";
import type { ServiceStatus } from "../../api/status.js";
import { bytes, duration, number } from "../../parts/format.js";
import { Badge, type Tone } from "../../parts/notes.js";
import { Facts, Section } from "../../parts/page.js";
import { useTexts } from "../../text/texts.js";

type Contents = NonNullable<ServiceStatus["contents"]>;

/** The files that wait to be read. */
export function Ingestion({ of }: { of: Contents["ingestion"] }) {
  const { t } = useTexts();
  const { waiting, running, postponed, oldest_seconds: oldest, concurrency } = of;
  const left = waiting + postponed;
  return (
    <Section title={t("dashboard.ingestion")}>
      <Facts
        of={[
          [t("dashboard.waiting"), number(waiting)],
          [t("dashboard.running"), t("dashboard.atOnce", { running: number(running), most: number(concurrency) })],
          [t("dashboard.postponed"), number(postponed)],
          [t("dashboard.oldest"), left === 0 ? t("dashboard.noneWaits") : duration(oldest * 1000)],
        ]}
      />
    </Section>
  );
}

/** The files of all vector stores by their state, and what was uploaded. */
export function Files({ of: { attached_files: attached, files } }: { of: Contents }) {
  const { t } = useTexts();
  const marked = (count: number, tone: Tone, more?: ReactNode) => (
    <>
      {count > 0 ? <Badge tone={tone}>{number(count)}</Badge> : number(count)} {more}
    </>
  );
  const lately = attached.failed_last_day;
  return (
    <Section title={t("dashboard.attached")}>
      <Facts
        of={[
          [t("store.files.states.in_progress"), marked(attached.in_progress, "accent")],
          [t("store.files.states.completed"), number(attached.completed)],
          [
            t("store.files.states.failed"),
            marked(
              attached.failed,
              "danger",
              lately > 0 && (
                <span className="text-xs text-muted">{t("dashboard.failedLately", { count: lately })}</span>
              ),
            ),
          ],
          [t("store.files.states.cancelled"), number(attached.cancelled)],
          [t("dashboard.uploaded"), t("dashboard.uploadedBytes", { count: files.count, bytes: bytes(files.bytes) })],
        ]}
      />
    </Section>
  );
}

/** Who is signed in, as a figure that leads to their sessions. */
export function Sessions({ count }: { count: number }) {
  const { t } = useTexts();
  return (
    <Link to="/sessions?whose=all" className="hover:underline" aria-label={t("dashboard.sessions", { count })}>
      {number(count)}
    </Link>
  );
}
