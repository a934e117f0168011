import { useQuery } from "@tanstack/react-query";
import { useId } from "react";
import { useMay, useMe } from "../../api/me.js";
import { peopleLike } from "../../api/permissions.js";
import { SelectField, TextField } from "../../parts/fields.js";
import { ErrorNote, Foreign } from "../../parts/notes.js";
import { usePaused } from "../../parts/typed.js";
import { useTexts } from "../../text/texts.js";

type Kind = "user" | "team" | "everyone";

export interface Subject {
  kind: Kind;
  /** What was typed: an ID, or a part of an email or alias. */
  text: string;
  /** The ID of whom was chosen from those that were found. */
  chosen: string | null;
}

export const nobody: Subject = { kind: "user", text: "", chosen: null };

/** Whether somebody is found in LiteLLM, and then chosen from a list. */
export function useSearches(): boolean {
  const { litellm_management: isManaged } = useMe().features;
  return useMay("admin:read") && isManaged;
}

/**
 * Whose ID it is; empty: nobody's yet. Where there is a list, one of its entries must be chosen: what was typed may be an
 * email, and the service takes any ID. Without a list, what is typed is the ID.
 */
export const idOf = ({ text, chosen }: Subject, searches: boolean): string => chosen ?? (searches ? "" : text.trim());

interface SubjectFieldProps {
  kinds: readonly Kind[];
  value: Subject;
  onChange: (next: Subject) => void;
}

/** A user or team: found in LiteLLM by administrators, typed as an ID by others. */
export function SubjectField({ kinds, value, onChange }: SubjectFieldProps) {
  const { t } = useTexts();
  const searches = useSearches();
  const { kind, text } = value;
  const asked = usePaused(text.trim());
  return (
    <>
      <SelectField
        label={t("store.share.kind")}
        value={kind}
        onChange={(event) => {
          onChange({ ...nobody, kind: event.target.value as Kind });
        }}
      >
        {kinds.map((each) => (
          <option key={each} value={each}>
            {t(`store.share.kinds.${each}`)}
          </option>
        ))}
      </SelectField>
      {kind !== "everyone" && (
        <TextField
          label={t(searches ? `store.share.search.${kind}` : `store.share.id.${kind}`)}
          hint={t(searches ? "store.share.searchHint" : "store.share.idHint")}
          type={searches ? "search" : "text"}
          value={text}
          onChange={(event) => {
            onChange({ ...value, text: event.target.value, chosen: null });
          }}
        />
      )}
      {kind !== "everyone" && searches && text.trim() !== "" && (
        <Found kind={kind} asked={asked} value={value} onChange={onChange} />
      )}
    </>
  );
}

interface FoundProps extends Omit<SubjectFieldProps, "kinds"> {
  kind: "user" | "team";
  /** What was typed, once the typing paused. */
  asked: string;
}

function Found({ kind, asked, value, onChange }: FoundProps) {
  const { t } = useTexts();
  const name = useId();
  const typed = value.text.trim();
  const { data: answer, error, isFetching } = useQuery({ ...peopleLike(kind, asked), enabled: asked !== "" });
  // Those of what was typed before are not offered any more.
  const data = asked === typed ? answer : undefined;
  const option = (id: string, label: string, about: string | null) => (
    <label key={id} className="flex items-start gap-2 rounded-md px-2 py-1.5 text-sm hover:bg-hover">
      <input
        type="radio"
        name={name}
        className="mt-1 size-4 accent-accent"
        checked={value.chosen === id}
        onChange={() => {
          onChange({ ...value, chosen: id });
        }}
      />
      <span className="min-w-0">
        <Foreign>{label}</Foreign>
        {about !== null && <Foreign className="block font-mono text-xs text-muted">{about}</Foreign>}
      </span>
    </label>
  );
  return (
    <fieldset aria-busy={isFetching || asked !== typed} className="rounded-md border border-line p-2">
      <legend className="px-1 text-sm font-medium">{t("store.share.found")}</legend>
      {error !== null && <ErrorNote error={error} />}
      <p className="sr-only" role="status">
        {data !== undefined && t("store.share.foundCount", { count: data.length })}
      </p>
      <div className="max-h-56 overflow-y-auto">
        {data?.map(({ id, name: known }) => option(id, known ?? id, known === null ? null : id))}
        {data?.every(({ id }) => id !== typed) === true && option(typed, t("store.share.typed", { id: typed }), null)}
      </div>
    </fieldset>
  );
}
