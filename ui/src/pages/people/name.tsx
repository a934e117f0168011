import { useQuery } from "@tanstack/react-query";
import { useMay, useMe } from "../../api/me.js";
import { personName } from "../../api/people.js";
import { Foreign } from "../../parts/notes.js";

/**
 * What people know a user or team by, if LiteLLM says it and the viewer may ask. All of a page are looked up at once.
 * @param subject `user:ID`, `team:ID`, or anything else, which has no other name
 */
export function usePersonName(subject: string): string | null {
  const { litellm_management: isManaged } = useMe().features;
  const mayAsk = useMay("admin:read") && isManaged;
  const [, kind, id = ""] = /^(user|team):(.+)$/s.exec(subject) ?? [];
  const { data } = useQuery({
    ...personName(kind === "team" ? "team" : "user", id),
    enabled: mayAsk && kind !== undefined,
  });
  return mayAsk && kind !== undefined ? (data ?? null) : null;
}

/** Somebody by email or alias, with the id below it; where there is none, by the id. */
export function Person({ subject, shown = subject }: { subject: string; shown?: string }) {
  const name = usePersonName(subject);
  if (name === null) return <Foreign>{shown}</Foreign>;
  return (
    <>
      <Foreign>{name}</Foreign>
      <Foreign className="block text-xs font-normal text-muted">{shown}</Foreign>
    </>
  );
}
