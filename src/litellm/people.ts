import { z } from "zod";
import type { LitellmTeam, LitellmUser, Listing } from "./managementContract.js";
import { type MasterCalls, isAbsent, readAnswer } from "./masterCalls.js";

const text = z.string().nullish();
const texts = z.array(z.string()).nullish();
const number = z.number().nullish();

const userShape = z
  .object({
    user_id: z.string(),
    user_email: text,
    user_alias: text,
    user_role: text,
    teams: texts,
    models: texts,
    spend: number,
    max_budget: number,
  })
  .transform((user): LitellmUser => ({
    id: user.user_id,
    email: user.user_email ?? null,
    alias: user.user_alias ?? null,
    role: user.user_role ?? null,
    teams: user.teams ?? [],
    models: user.models ?? [],
    spend: user.spend ?? 0,
    maxBudget: user.max_budget ?? null,
  }));

const teamShape = z
  .object({
    team_id: z.string(),
    team_alias: text,
    blocked: z.boolean().nullish(),
    members_with_roles: z.array(z.object({ user_id: text, role: z.string() })).nullish(),
    models: texts,
    spend: number,
    max_budget: number,
  })
  .transform((team): LitellmTeam => ({
    id: team.team_id,
    alias: team.team_alias ?? null,
    blocked: team.blocked ?? false,
    members: (team.members_with_roles ?? []).map(({ user_id: id, role }) => ({ id: id ?? null, role })),
    models: team.models ?? [],
    spend: team.spend ?? 0,
    maxBudget: team.max_budget ?? null,
  }));

const usersShape = z.object({ users: z.array(userShape), total: z.int() });
const teamsShape = z.object({ teams: z.array(teamShape), total: z.int() });

/**
 * LiteLLM's users and teams: GET /user/list, /v2/user/info and /v2/team/list, as observed with 1.106.2.
 * Sorted by id: LiteLLM's pages are numbered, and its usual order, newest first, moves while users are added.
 */
export function createPeople({ get }: MasterCalls): {
  users: Listing<LitellmUser, { search: string | null }>;
  teams: Listing<LitellmTeam, { search: string | null }>;
} {
  return {
    users: {
      page: async ({ page, limit, search }) => {
        const asked = { page, page_size: limit, user_email: search, sort_by: "user_id", sort_order: "asc" };
        const { users, total } = readAnswer(await get("/user/list", asked), usersShape, "GET /user/list");
        return { items: users, total };
      },
      find: async (id) => {
        const answer = await get("/v2/user/info", { user_id: id });
        return isAbsent(answer) ? null : readAnswer(answer, userShape, "GET /v2/user/info");
      },
    },
    teams: {
      page: async ({ page, limit, search }) => {
        const asked = { page, page_size: limit, team_alias: search, sort_by: "team_id", sort_order: "asc" };
        const { teams, total } = readAnswer(await get("/v2/team/list", asked), teamsShape, "GET /v2/team/list");
        return { items: teams, total };
      },
      find: async (id) => {
        // GET /team/info carries all keys of the team, and says 404 while LiteLLM's database is away.
        const asked = { team_id: id, page: 1, page_size: 1 };
        const { teams } = readAnswer(await get("/v2/team/list", asked), teamsShape, "GET /v2/team/list");
        return teams.find((team) => team.id === id) ?? null;
      },
    },
  };
}
