import { z } from "zod";
import {
  type LitellmTeam,
  type LitellmUser,
  type PeoplePage,
  type Person,
  usageDays,
} from "../../core/access/people.js";
import type { Holdings } from "../../words/holder.js";
import type { UsageSums } from "../../words/usage.js";
import { plainText, queryInteger } from "./common.js";
import { notOurs, pageField, readToken, writeToken } from "./pageToken.js";

/** LiteLLM's ids of users and teams may hold any character. */
const id = plainText(256);
const search = plainText(256).optional();

export const userParams = z.object({ user_id: id.describe("LiteLLM's id of the user, percent-encoded") });
export const teamParams = z.object({ team_id: id.describe("LiteLLM's id of the team, percent-encoded") });

const mostIds = 50;
const ids = plainText(mostIds * 257)
  .transform((text) => [...new Set(text.split(","))])
  .refine((each) => each.every((one) => one !== "" && one.length <= 256), "must be ids of 1 to 256 characters")
  .refine((each) => each.length <= mostIds, `at most ${mostIds} ids`)
  .optional();

const sources = ["litellm", "service"] as const;
const listFields = {
  limit: queryInteger(1, 100, 20),
  source: z
    .enum(sources)
    .default("litellm")
    .describe("`litellm`: all that LiteLLM has; `service`: all that own, may use or have used something here"),
  in_litellm: z
    .enum(["false"])
    .optional()
    .describe("with `source=service`, only those that own or may use something here and that LiteLLM does not have"),
  ids: ids.describe(`only these, comma-separated, at most ${mostIds}: whether or not LiteLLM has them`),
  page: pageField.describe("`next_page` of the page before, of the same list"),
};
interface Chosen {
  ids?: readonly string[] | undefined;
  page?: string | undefined;
  in_litellm?: "false" | undefined;
}
const onlyIds = ({ ids: these, page, in_litellm: known }: Chosen, search: string | undefined) =>
  these === undefined || [page, known, search].every((other) => other === undefined);
const needsNoMore = { path: ["ids"], message: "says which ones: leave out what else would choose them" };
const onlyLitellm = (query: { source: string; search?: string | undefined }) =>
  query.source === "litellm" || query.search === undefined;
const onlyService = (query: { source: string; in_litellm?: "false" | undefined }) =>
  query.source === "service" || query.in_litellm === undefined;
const needsService = { path: ["in_litellm"], message: "all of LiteLLM's are in it: send source=service, too" };
const wrongSource = (path: string) => ({ path: [path], message: "only LiteLLM knows it: leave out source=service" });

export const usersQuery = z
  .object({
    ...listFields,
    email: search.describe("only users whose email contains this text, in upper or lower case"),
  })
  .refine(onlyService, needsService)
  .refine(({ source, email }) => onlyLitellm({ source, search: email }), wrongSource("email"))
  .refine(({ email, ...query }) => onlyIds(query, email), needsNoMore);
export const teamsQuery = z
  .object({
    ...listFields,
    alias: search.describe("only teams whose alias contains this text, in upper or lower case"),
  })
  .refine(onlyService, needsService)
  .refine(({ source, alias }) => onlyLitellm({ source, search: alias }), wrongSource("alias"))
  .refine(({ alias, ...query }) => onlyIds(query, alias), needsNoMore);

interface PeopleQuery {
  ids?: readonly string[] | undefined;
  source: (typeof sources)[number];
  in_litellm?: "false" | undefined;
  page?: string | undefined;
  limit: number;
}

/** Which list a page is of: its tokens lead through no other. */
const listOf = ({ source, in_litellm: known }: PeopleQuery): PeopleQuery["source"] | "gone" =>
  known === undefined ? source : "gone";

/** Where a page begins, at LiteLLM or here. @throws ApiError 400 */
export function readPeople(query: PeopleQuery) {
  const { page, limit, ids: these = null } = query;
  const list = listOf(query);
  const [place] = page === undefined ? [null] : readToken(page, [list], 1);
  if (page !== undefined && (place == null || (list === "litellm" && !/^[1-9]\d{0,8}$/.test(place)))) throw notOurs();
  return { list, limit, ids: these, page: Number(place ?? 1), after: place ?? "" };
}

const money = z.number();
const litellmUser = z
  .object({
    email: z.string().nullable(),
    alias: z.string().nullable(),
    role: z.string().nullable(),
    teams: z.array(z.string()),
    models: z.array(z.string()),
    spend: money,
    max_budget: money.nullable(),
  })
  .meta({ id: "LitellmUser" });
const litellmTeam = z
  .object({
    alias: z.string().nullable(),
    blocked: z.boolean(),
    members: z.array(z.object({ user_id: z.string().nullable(), role: z.string() })),
    models: z.array(z.string()),
    spend: money,
    max_budget: money.nullable(),
  })
  .meta({ id: "LitellmTeam" });

const stores = z.object({ count: z.int(), rows: z.int(), bytes: z.int() });
const files = z.object({ count: z.int(), bytes: z.int() });
const usage = z.object({
  requests: z.int(),
  failures: z.int().describe("requests with a status of 400 or more"),
  tokens: z.int().describe("as the LiteLLM proxy counted them"),
  duration_ms: z.int(),
});
const personFields = {
  id: z.string(),
  in_litellm: z.boolean().nullable(),
  vector_stores: stores,
  files,
  permissions: z.int(),
  usage: usage.describe(`of the last ${usageDays} days`),
};
export const userAnswer = z
  .object({ object: z.literal("user"), ...personFields, litellm: litellmUser.nullable() })
  .meta({ id: "User" });
export const teamAnswer = z
  .object({ object: z.literal("team"), ...personFields, litellm: litellmTeam.nullable() })
  .meta({ id: "Team" });

const peopleAnswer = <T extends z.ZodType>(name: string, item: T) =>
  z
    .object({
      object: z.literal("list"),
      data: z.array(item),
      has_more: z.boolean(),
      next_page: z.string().nullable(),
      total: z.int().nullable(),
    })
    .meta({ id: name });
export const userListAnswer = peopleAnswer("UserList", userAnswer);
export const teamListAnswer = peopleAnswer("TeamList", teamAnswer);

const presentHoldings = ({ stores: count, rows, bytes, files: fileCount, fileBytes }: Holdings) => ({
  vector_stores: { count, rows, bytes },
  files: { count: fileCount, bytes: fileBytes },
});

export const presentSums = ({ requests, failures, tokens, durationMs }: UsageSums) => ({
  requests,
  failures,
  tokens,
  duration_ms: durationMs,
});

const presentPerson = <O extends string, L>(object: O, person: Person<unknown>, litellm: L) => ({
  object,
  id: person.id,
  in_litellm: person.inLitellm,
  ...presentHoldings(person.holdings),
  permissions: person.holdings.permissions,
  usage: presentSums(person.usage),
  litellm,
});

export function presentUser(person: Person<LitellmUser>): z.input<typeof userAnswer> {
  const { litellm: found } = person;
  if (found === null) return presentPerson("user", person, null);
  const { email, alias, role, teams: ofTeams, models, spend, maxBudget } = found;
  return presentPerson("user", person, {
    ...{ email, alias, role, spend, max_budget: maxBudget },
    teams: [...ofTeams],
    models: [...models],
  });
}

export function presentTeam(person: Person<LitellmTeam>): z.input<typeof teamAnswer> {
  const { litellm: found } = person;
  if (found === null) return presentPerson("team", person, null);
  const { alias, blocked, members, models, spend, maxBudget } = found;
  return presentPerson("team", person, {
    ...{ alias, blocked, spend, max_budget: maxBudget },
    members: members.map(({ id: userId, role }) => ({ user_id: userId, role })),
    models: [...models],
  });
}

export const presentPeople = <T, P>(
  { people, total, next }: PeoplePage<T>,
  list: string,
  present: (person: Person<T>) => P,
) => ({
  object: "list" as const,
  data: people.map(present),
  has_more: next !== null,
  next_page: next === null ? null : writeToken([list], [next]),
  total,
});
