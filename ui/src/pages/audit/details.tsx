import { isRecord } from "../../api/failure.js";
import { Foreign } from "../../parts/notes.js";
import { marked } from "../../text/marked.js";
import { useTexts } from "../../text/texts.js";

/** What an act changed: names with values, and within a value the same once more. */
export function Details({ of }: { of: Record<string, unknown> }) {
  return (
    <dl className="flex max-w-md min-w-24 flex-col gap-0.5 text-xs">
      {Object.entries(of).map(([name, value]) => (
        <div key={name} className="flex gap-2">
          <dt className="shrink-0 text-muted">{marked(name)}</dt>
          <dd className="min-w-12">
            <Value of={value} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Value({ of }: { of: unknown }) {
  const { t } = useTexts();
  if (of === null || of === undefined) return t("none");
  if (typeof of === "boolean") return t(of ? "yes" : "no");
  if (Array.isArray(of)) return <Foreign>{of.map((each) => text(each)).join(", ")}</Foreign>;
  if (isRecord(of)) return <Details of={of} />;
  return <Foreign>{text(of)}</Foreign>;
}

const text = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));
