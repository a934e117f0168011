import { useQueryClient } from "@tanstack/react-query";
import { Failure } from "../../api/failure.js";
import { useMe } from "../../api/me.js";
import { type Kind, teamList, teamOf, userList, userOf } from "../../api/people.js";
import { useTexts } from "../../text/texts.js";

/** LiteLLM has nobody with this id, nor with this email or alias. */
export class UnknownPerson extends Error {}

/** Somebody of LiteLLM's. */
export interface Candidate {
  id: string;
  /** What people know them by. */
  names: readonly string[];
}

/** How many are looked through; the first ones whose email or alias contains the text. */
const offered = 20;

/** Those whose email or alias has a text in it. */
export const usersLike = (text: string) => ({
  ...userList(searchFor(text)),
  select: ({ data }: { data: readonly { id: string; litellm: UserFacts | null }[] }): Candidate[] =>
    data.map(({ id, litellm }) => ({ id, names: present(litellm?.email, litellm?.alias) })),
});
export const teamsLike = (text: string) => ({
  ...teamList(searchFor(text)),
  select: ({ data }: { data: readonly { id: string; litellm: TeamFacts | null }[] }): Candidate[] =>
    data.map(({ id, litellm }) => ({ id, names: present(litellm?.alias) })),
});

interface TeamFacts {
  alias: string | null;
}
interface UserFacts extends TeamFacts {
  email: string | null;
}
const present = (...names: (string | null | undefined)[]) => names.filter((name) => name != null);
const searchFor = (text: string) => ({
  source: "litellm" as const,
  limit: offered,
  ...(text !== "" && { search: text }),
});

/** The ids of those who are called exactly this. */
export function idsCalled(text: string, among: readonly Candidate[]): string[] {
  const same = (name: string) => name.toLowerCase() === text.toLowerCase();
  return among.filter(({ id, names }) => id === text || names.some(same)).map(({ id }) => id);
}

/**
 * The id of a user or a team, from an id, an email or an alias that somebody has typed: the service takes any text for an
 * id, and would give things to somebody who does not exist.
 * @throws UnknownPerson unless LiteLLM has them, or cannot be asked
 */
export function useResolvePerson(): (kind: Kind, typed: string) => Promise<string> {
  const { t } = useTexts();
  const queries = useQueryClient();
  const { litellm_management: canAsk } = useMe().features;
  return async (kind, typed) => {
    const text = typed.trim();
    if (!canAsk || text === "") return text;
    const found = await (kind === "user" ? queries.query(usersLike(text)) : queries.query(teamsLike(text)));
    const [id, ...others] = idsCalled(text, found);
    if (others.length > 0) throw new Error(t("people.severalCalled", { text }));
    if (id !== undefined) return id;
    try {
      const { in_litellm: isThere } = await (kind === "user"
        ? queries.query(userOf(text))
        : queries.query(teamOf(text)));
      if (isThere !== false) return text;
    } catch (error) {
      if (!(error instanceof Failure) || error.status !== 404) throw error;
    }
    throw new UnknownPerson(t(kind === "user" ? "people.unknownUser" : "people.unknownTeam", { text }));
  };
}
