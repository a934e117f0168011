import * as people from "../../core/access/people.js";
import { type Call, route } from "../route.js";
import {
  presentPeople,
  presentTeam,
  presentUser,
  readPeople,
  teamAnswer,
  teamListAnswer,
  teamParams,
  teamsQuery,
  userAnswer,
  userListAnswer,
  userParams,
  usersQuery,
} from "../wire/people.js";

const tag = "Administration";
const aboutLists =
  "Those that LiteLLM has, in the order of their ids, each with what it owns, may use and has used here; this needs LITELLM_MASTER_KEY. With " +
  "`source=service` all that own, may use or have used something here, whether or not LiteLLM has them: `in_litellm` says it, and is null " +
  "while LiteLLM cannot be asked, as the header `x-vector-store-warning` then says. `in_litellm=false` lists only those of them that LiteLLM " +
  "does not have and that own or may use something here. It asks LiteLLM for up to 200 ids, so that a page may hold fewer than `limit`, even " +
  "none, and still have a `next_page`. With `ids` it is one page of just these.";
const aboutOne =
  "Without LITELLM_MASTER_KEY, or while LiteLLM is away, it is found only if it owns, may use or has used something here; the header " +
  "`x-vector-store-warning` then says why `in_litellm` is null.";

type Asked = Pick<Call<never, never, never>, "deps" | "warn">;

async function list<T extends { readonly id: string }>(
  { deps, warn }: Asked,
  kind: people.Kind<T>,
  { list: wanted, ids, ...asked }: ReturnType<typeof readPeople> & { search: string | null },
): Promise<people.PeoplePage<T>> {
  const lists = { litellm: people.listLitellm<T>, service: people.listKnownHere<T>, gone: people.listGone<T> };
  const page = ids === null ? await lists[wanted](deps, kind, asked) : await people.listThese(deps, kind, ids);
  if (page.problem !== null) warn(page.problem);
  return page;
}

async function find<T>({ deps, warn }: Asked, kind: people.Kind<T>, id: string): Promise<people.Person<T>> {
  const { person, problem } = await people.find(deps, kind, id);
  if (problem !== null) warn(problem);
  return person;
}

/** LiteLLM's users and teams, and what they have here. */
export const adminPeopleRoutes = [
  route({
    id: "listUsers",
    method: "get",
    path: "/admin/users",
    may: "admin:read",
    tag,
    summary: "List users with what they have here",
    description: aboutLists,
    query: usersQuery,
    answer: userListAnswer,
    handle: async (call) => {
      const asked = { ...readPeople(call.query), search: call.query.email ?? null };
      return presentPeople(await list(call, people.users, asked), asked.list, presentUser);
    },
  }),
  route({
    id: "retrieveUser",
    method: "get",
    path: "/admin/users/:user_id",
    may: "admin:read",
    tag,
    summary: "Retrieve a user with what it has here",
    description: aboutOne,
    params: userParams,
    answer: userAnswer,
    handle: async (call) => presentUser(await find(call, people.users, call.params.user_id)),
  }),
  route({
    id: "listTeams",
    method: "get",
    path: "/admin/teams",
    may: "admin:read",
    tag,
    summary: "List teams with what they have here",
    description: `${aboutLists} A team has what was made with its keys, by users as well.`,
    query: teamsQuery,
    answer: teamListAnswer,
    handle: async (call) => {
      const asked = { ...readPeople(call.query), search: call.query.alias ?? null };
      return presentPeople(await list(call, people.teams, asked), asked.list, presentTeam);
    },
  }),
  route({
    id: "retrieveTeam",
    method: "get",
    path: "/admin/teams/:team_id",
    may: "admin:read",
    tag,
    summary: "Retrieve a team with what it has here",
    description: aboutOne,
    params: teamParams,
    answer: teamAnswer,
    handle: async (call) => presentTeam(await find(call, people.teams, call.params.team_id)),
  }),
];
