import { useQuery } from "@tanstack/react-query";
import { Suspense, lazy, useState } from "react";
import { type Limits, limitsOf } from "../../api/limits.js";
import { useMay } from "../../api/me.js";
import { Button } from "../../parts/button.js";
import { bytes, dateTime, number } from "../../parts/format.js";
import { ErrorNote, Foreign, Skeleton } from "../../parts/notes.js";
import { Facts, Section } from "../../parts/page.js";
import { useTexts } from "../../text/texts.js";

const EditLimits = lazy(() => import("./editLimits.js"));

interface LimitsSectionProps {
  subject: string;
  /** What it has of what is limited. */
  used?: { stores: number; bytes: number };
}

/** What somebody may have and do here, beside what the settings say. */
export function LimitsSection({ subject, used }: LimitsSectionProps) {
  const { t } = useTexts();
  const mayWrite = useMay("admin:write");
  const { data, error, isPending, isFetching, refetch } = useQuery(limitsOf(subject));
  const [editing, setEditing] = useState(false);
  const edit = (
    <Button
      why={mayWrite ? null : t("mayOnlyLook")}
      onClick={() => {
        setEditing(true);
      }}
    >
      {t("people.editLimits")}
    </Button>
  );
  return (
    <Section title={t("people.limits")} actions={data !== undefined && edit}>
      {error !== null && <ErrorNote error={error} retry={() => void refetch()} busy={isFetching} />}
      {isPending && <Skeleton lines={3} />}
      {data !== undefined && <Shown of={data} used={used} />}
      <Suspense>
        {editing && data !== undefined && (
          <EditLimits
            subject={subject}
            of={data}
            onClose={() => {
              setEditing(false);
            }}
          />
        )}
      </Suspense>
    </Section>
  );
}

function Shown({ of, used }: { of: Limits | null; used: LimitsSectionProps["used"] }) {
  const { t } = useTexts();
  const say = (limit: number | null | undefined, write: (value: number) => string, has?: number) => {
    const text = limit === undefined ? t("people.asSettings") : limit === null ? t("people.unlimited") : write(limit);
    return has === undefined ? text : `${text} (${t("people.has", { amount: write(has) })})`;
  };
  return (
    <>
      <Facts
        of={[
          [t("people.limitNames.vector_stores"), say(of?.vector_stores, number, used?.stores)],
          [t("people.limitNames.bytes"), say(of?.bytes, bytes, used?.bytes)],
          [t("people.limitNames.requests_per_minute"), say(of?.requests_per_minute, number)],
        ]}
      />
      {of !== null && (
        <p className="mt-3 text-xs text-muted">
          {t("people.setBy", { at: dateTime(of.set_at) })} <Foreign>{of.set_by}</Foreign>
        </p>
      )}
    </>
  );
}
