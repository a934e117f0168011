import { useQuery } from "@tanstack/react-query";
import { useMay, useMe } from "../../api/me.js";
import { peopleLike } from "../../api/permissions.js";
import { Combobox } from "../../parts/combobox.js";
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

/** What somebody is called who was chosen by a name. */
export const nameOf = ({ text, chosen }: Subject, subject: string): string =>
  chosen === null || chosen === text ? subject : text;

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
      {kind !== "everyone" && !searches && (
        <TextField
          label={t(`store.share.id.${kind}`)}
          hint={t("store.share.idHint")}
          value={text}
          onChange={(event) => {
            onChange({ ...value, text: event.target.value, chosen: null });
          }}
        />
      )}
      {kind !== "everyone" && searches && (
        <Found key={kind} kind={kind} asked={asked} value={value} onChange={onChange} />
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
  const { text, chosen } = value;
  const typed = text.trim();
  const isAsked = typed !== "" && chosen === null;
  const { data, error, isFetching } = useQuery({ ...peopleLike(kind, asked), enabled: isAsked && asked !== "" });
  const busy = isFetching || asked !== typed;
  // Those of an earlier text do not fit this one.
  const found = isAsked && !busy ? data : undefined;
  const options = found?.map(({ id, name }) => ({
    id,
    label: name ?? id,
    about: name === null ? null : id,
    matches: true,
  }));
  const self = { id: typed, label: t("store.share.typed", { id: typed }), about: null, matches: false };
  const isKnown = options === undefined || options.some(({ id }) => id === typed);
  return (
    <>
      <Combobox
        label={t(`store.share.search.${kind}`)}
        listLabel={t("store.share.found")}
        hint={
          chosen === null || chosen === typed ? (
            t("store.share.searchHint")
          ) : (
            <>
              {t("people.meant")} <Foreign className="font-mono">{chosen}</Foreign>
            </>
          )
        }
        text={text}
        onText={(next) => {
          onChange({ ...value, text: next, chosen: null });
        }}
        options={[...(options ?? []), ...(isKnown ? [] : [self])]}
        busy={isAsked && busy}
        onChoose={({ id, label, matches }) => {
          onChange({ ...value, text: matches ? label : id, chosen: id });
        }}
      />
      <p className="sr-only" role="status">
        {found !== undefined && t("store.share.foundCount", { count: found.length })}
      </p>
      {error !== null && isAsked && <ErrorNote error={error} />}
    </>
  );
}
