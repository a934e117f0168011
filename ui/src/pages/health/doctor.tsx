import { useQuery } from "@tanstack/react-query";
import { RotateCw, Stethoscope } from "lucide-react";
import { useMay } from "../../api/me.js";
import { type Diagnosis, type Finding, diagnosis, useProbe } from "../../api/status.js";
import { useAnnounce } from "../../parts/announcer.js";
import { Button } from "../../parts/button.js";
import { dateTime } from "../../parts/format.js";
import { Badge, ErrorNote, Foreign, Skeleton } from "../../parts/notes.js";
import { Section } from "../../parts/page.js";
import { useTexts } from "../../text/texts.js";

const groups = {
  settings: ["settings", "key", "ingestion", "registry"],
  database: ["database", "pgvector", "migrations", "tables"],
  stored: ["contents", "dimensions", "models", "indexes"],
  proxy: ["proxy", "proxy key", "model", "chat model", "rerank model", "embedding"],
} as const;
const order = ["settings", "database", "stored", "proxy", "other"] as const;
type Group = (typeof order)[number];

const groupOf = ({ check }: Finding): Group =>
  (Object.keys(groups) as (keyof typeof groups)[]).find((name) => groups[name].some((each) => each === check)) ??
  "other";

const tones = { ok: "ok", warn: "warn", fail: "danger" } as const;

/** What `vector-store doctor` says, from inside the server. */
export function Doctor() {
  const { t } = useTexts();
  const announce = useAnnounce();
  const mayProbe = useMay("admin:write");
  const { data, error, isPending, isFetching, dataUpdatedAt, refetch } = useQuery(diagnosis);
  const probe = useProbe();
  const say = (said: Diagnosis) => {
    announce(t(said.ok ? "doctor.well" : "doctor.unwell"));
  };
  return (
    <Section
      title={t("doctor.title")}
      actions={
        <div className="flex flex-wrap gap-2">
          <Button
            icon={<RotateCw aria-hidden className="size-4" />}
            busy={isFetching && !isPending}
            onClick={() => {
              probe.reset();
              void refetch().then(({ data: said }) => {
                if (said !== undefined) say(said);
              });
            }}
          >
            {t("doctor.again")}
          </Button>
          <Button
            icon={<Stethoscope aria-hidden className="size-4" />}
            busy={probe.isPending}
            why={mayProbe ? null : t("mayOnlyLook")}
            onClick={() => {
              probe.mutate(undefined, { onSuccess: say });
            }}
          >
            {t("doctor.probe")}
          </Button>
        </div>
      }
    >
      <p className="mb-4 max-w-prose text-sm text-muted">{t("doctor.about")}</p>
      {error !== null && <ErrorNote error={error} retry={() => void refetch()} busy={isFetching} />}
      {probe.error !== null && <ErrorNote error={probe.error} />}
      {isPending && <Skeleton lines={6} />}
      {data !== undefined && (
        <>
          <Counts of={data.checks} />
          <p className="mb-4 text-xs text-muted">
            {t(data.probed ? "doctor.asOfProbed" : "doctor.asOf", { at: dateTime(dataUpdatedAt / 1000) })}
          </p>
          <div className="flex flex-col gap-5">
            {order.map((group) => (
              <Found
                key={group}
                title={t(`doctor.groups.${group}`)}
                of={data.checks.filter((one) => groupOf(one) === group)}
              />
            ))}
          </div>
        </>
      )}
    </Section>
  );
}

function Counts({ of }: { of: readonly Finding[] }) {
  const { t } = useTexts();
  const count = (wanted: Finding["status"]) => of.filter(({ status }) => status === wanted).length;
  return (
    <ul className="mb-1.5 flex flex-wrap gap-2">
      {(["fail", "warn", "ok"] as const).map((status) => (
        <li key={status}>
          <Badge tone={count(status) === 0 ? "plain" : tones[status]}>
            {t(`doctor.counts.${status}`, { count: count(status) })}
          </Badge>
        </li>
      ))}
    </ul>
  );
}

/** The findings of one kind: what needs a hand at once, what is well when it is asked for. */
function Found({ title, of }: { title: string; of: readonly Finding[] }) {
  const { t } = useTexts();
  // What has failed comes before what is only doubtful.
  const wrong = of.filter(({ status }) => status !== "ok").toSorted((a, b) => a.status.localeCompare(b.status));
  const well = of.filter(({ status }) => status === "ok");
  if (of.length === 0) return null;
  return (
    <section aria-label={title}>
      <h3 className="mb-1.5 text-sm font-medium">{title}</h3>
      {wrong.length > 0 && (
        <ul className="mb-1.5 flex flex-col gap-2">
          {wrong.map((finding, place) => (
            <li key={place} className="rounded-md border border-line p-3 text-sm">
              <One of={finding} />
            </li>
          ))}
        </ul>
      )}
      {well.length > 0 && (
        <details className="text-sm">
          <summary className="w-fit rounded py-1 text-muted">{t("doctor.fine", { count: well.length })}</summary>
          <ul className="mt-1.5 flex flex-col gap-2 pl-4">
            {well.map((finding, place) => (
              <li key={place}>
                <One of={finding} />
              </li>
            ))}
          </ul>
        </details>
      )}
    </section>
  );
}

function One({ of: { check, status, message, todo } }: { of: Finding }) {
  const { t } = useTexts();
  return (
    <>
      <p>
        <Badge tone={tones[status]}>{t(`doctor.levels.${status}`)}</Badge>{" "}
        <span className="font-mono text-xs text-muted">{check}</span>
      </p>
      <Foreign lang="en" className="mt-1 block whitespace-pre-line">
        {message}
      </Foreign>
      {todo !== null && (
        <p className="mt-1">
          <span className="font-medium">{t("doctor.todo")}</span> <Foreign lang="en">{todo}</Foreign>
        </p>
      )}
    </>
  );
}
