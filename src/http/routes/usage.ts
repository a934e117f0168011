import { ownUsage, sum } from "../../core/access/usage.js";
import type { UsageQuery } from "../../words/usage.js";
import { type Call, route } from "../route.js";
import { ownUsageQuery, presentUsage, readUsageQuery, usageAnswer, usageCsv, usageQuery } from "../wire/usage.js";

const tag = "Usage";

type Asked = Pick<Call<never, Parameters<typeof readUsageQuery>[0], never>, "deps" | "query" | "res">;

async function answer({ deps, query, res }: Asked, of: Pick<UsageQuery, "userId" | "teamId" | "keyId">) {
  const { asked, groups } = readUsageQuery(query, of, deps.now());
  const usage = await sum(deps, asked, groups);
  if (query.format === "json") return presentUsage(asked, usage);
  res.type("text/csv").set("content-disposition", `attachment; filename="usage.csv"`).send(usageCsv(groups, usage));
  return undefined;
}

export const usageRoutes = [
  route({
    id: "getUsage",
    method: "get",
    path: "/usage",
    may: "store:read",
    tag,
    summary: "Your own usage",
    description:
      "Sums of the requests, tokens and time of your user; of the team for a service account, of the key for one that belongs to nobody. " +
      "Requests of the last second may be missing. With `format=csv` a file for spreadsheets.",
    query: ownUsageQuery,
    answer: usageAnswer,
    handle: (call) => answer(call, ownUsage(call.caller) ?? { userId: null, teamId: null, keyId: "" }),
  }),
  route({
    id: "getAllUsage",
    method: "get",
    path: "/admin/usage",
    may: "admin:read",
    tag: "Administration",
    summary: "Everybody's usage",
    description: "Sums by any of the groups, of everybody or of one user, team, key or vector store.",
    query: usageQuery,
    answer: usageAnswer,
    handle: (call) => {
      const { user_id: userId = null, team_id: teamId = null, key_id: keyId = null } = call.query;
      return answer(call, { userId, teamId, keyId });
    },
  }),
];
