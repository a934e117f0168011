import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useDeferredValue, useId } from "react";
import { useMe } from "../../api/me.js";
import { type Kind, teamList, userList } from "../../api/people.js";
import { TextField } from "../../parts/fields.js";

interface PersonFieldProps {
  kind: Kind;
  label: string;
  hint?: ReactNode;
  /** An id of LiteLLM's. */
  value: string;
  onChange: (id: string) => void;
  error?: string | null;
}

const offered = 20;

/** The id of a user or a team; where LiteLLM can be asked, it offers those whose email or alias has what was typed. */
export function PersonField({ kind, value, onChange, ...rest }: PersonFieldProps) {
  const list = useId();
  const { litellm_management: canAsk } = useMe().features;
  const typed = useDeferredValue(value.trim());
  const asked = { source: "litellm" as const, limit: offered, ...(typed !== "" && { search: typed }) };
  const users = useQuery({ ...userList(asked), enabled: canAsk && kind === "user" });
  const teams = useQuery({ ...teamList(asked), enabled: canAsk && kind === "team" });
  const found =
    kind === "user"
      ? users.data?.data.map(({ id, litellm }) => ({ id, name: litellm?.email ?? litellm?.alias ?? "" }))
      : teams.data?.data.map(({ id, litellm }) => ({ id, name: litellm?.alias ?? "" }));
  return (
    <>
      <TextField
        {...rest}
        list={list}
        value={value}
        onChange={(event) => {
          onChange(event.target.value);
        }}
      />
      <datalist id={list}>
        {found?.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </datalist>
    </>
  );
}
