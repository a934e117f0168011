import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useId } from "react";
import type { Said } from "../../api/failure.js";
import { useMe } from "../../api/me.js";
import type { Kind } from "../../api/people.js";
import { TextField } from "../../parts/fields.js";
import { Foreign } from "../../parts/notes.js";
import { usePaused } from "../../parts/typed.js";
import { marked } from "../../text/marked.js";
import { useTexts } from "../../text/texts.js";
import { idsCalled, teamsLike, usersLike } from "./resolve.js";

interface PersonFieldProps {
  kind: Kind;
  label: string;
  hint?: ReactNode;
  /** What was typed: an id of LiteLLM's, or an email or alias. See `useResolvePerson`. */
  value: string;
  onChange: (id: string) => void;
  error?: string | Said | null;
}

/** A user or a team; where LiteLLM can be asked, it offers those whose email or alias has what was typed. */
export function PersonField({ kind, value, onChange, hint, ...rest }: PersonFieldProps) {
  const { t } = useTexts();
  const list = useId();
  const { litellm_management: canAsk } = useMe().features;
  const typed = usePaused(value.trim());
  const users = useQuery({ ...usersLike(typed), enabled: canAsk && kind === "user" });
  const teams = useQuery({ ...teamsLike(typed), enabled: canAsk && kind === "team" });
  const { data: found } = kind === "user" ? users : teams;
  const [id] = typed === "" ? [] : idsCalled(typed, found ?? []);
  const meant = id !== undefined && id !== typed && (
    <>
      {t("people.meant")} <Foreign className="font-mono">{id}</Foreign>
    </>
  );
  return (
    <>
      <TextField
        {...rest}
        hint={meant || hint}
        list={list}
        value={value}
        onChange={(event) => {
          onChange(event.target.value);
        }}
      />
      <datalist id={list}>
        {found?.map(({ id: each, names }) => (
          <option key={each} value={each}>
            {marked(names[0] ?? "")}
          </option>
        ))}
      </datalist>
    </>
  );
}
