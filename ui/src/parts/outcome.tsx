import type { Outcome } from "../api/several.js";
import { useTexts } from "../text/texts.js";
import { failureText, languageOf } from "./failureText.js";
import { Foreign, RequestId } from "./notes.js";

interface ConcernedProps {
  /** What the things are, for a screen reader. */
  label: string;
  things: readonly { id: string; title: string }[];
  /** What came of it so far; sending the form again tries those that are left. */
  outcome: Outcome | undefined;
}

/** Which things a dialog about several is about, and why some of them did not go. */
export function Concerned({ label, things, outcome }: ConcernedProps) {
  const { t } = useTexts();
  const reasons = new Map(outcome?.failed.map(({ id, error }) => [id, error]));
  return (
    <>
      {reasons.size > 0 && (
        <p role="alert" className="text-sm font-medium text-danger">
          {t("stores.partly", { done: outcome?.done.size ?? 0, failed: reasons.size })}
        </p>
      )}
      <ul tabIndex={0} aria-label={label} className="max-h-40 list-disc overflow-auto pl-5 text-sm">
        {things.map(({ id, title }) => {
          const reason = reasons.get(id);
          return (
            <li key={id}>
              <Foreign>{title}</Foreign>
              {reason !== undefined && <Reason error={reason} />}
            </li>
          );
        })}
      </ul>
    </>
  );
}

function Reason({ error }: { error: Error }) {
  const { t } = useTexts();
  return (
    <div className="text-xs">
      <Foreign lang={languageOf(error, t)} className="block text-danger">
        {failureText(error, t)}
      </Foreign>
      <RequestId of={error} className="block text-muted" />
    </div>
  );
}
