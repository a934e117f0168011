import { once } from "node:events";
import { ownUsage, sum, sumAll } from "../../core/access/usage.js";
import type { UsageQuery } from "../../words/usage.js";
import { type Call, route } from "../route.js";
import {
  csvHeader,
  csvLines,
  ownUsageQuery,
  presentUsage,
  readUsageQuery,
  usageAnswer,
  usageQuery,
} from "../wire/usage.js";

const tag = "Usage";

type Asked = Pick<Call<never, Parameters<typeof readUsageQuery>[0], never>, "deps" | "query" | "res" | "signal">;

async function answer({ deps, query, res, signal }: Asked, of: Pick<UsageQuery, "userId" | "teamId" | "keyId">) {
  const wanted = readUsageQuery(query, of, deps.now());
  const { asked, groups, page } = wanted;
  if (query.format === "json") return presentUsage(wanted, await sum(deps, asked, groups, page));
  for await (const rows of sumAll(deps, asked, groups)) {
    // Only now, so that a failure of the first question has its own status.
    if (!res.headersSent) {
      res.type("text/csv").set("content-disposition", `attachment; filename="usage.csv"`);
      res.write(csvHeader(groups));
    }
    if (!res.write(csvLines(groups, rows))) await once(res, "drain", { signal });
  }
  res.end();
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
      "Requests of the last second may be missing. Within a day, or without days, the largest number of requests comes first; `next_page` " +
      "leads to further rows, and leaves out or repeats only those that were counted on in the meantime. With `format=csv` a file for " +
      "spreadsheets with all rows.",
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
    description:
      "Sums by any of the groups, of everybody or of one user, team, key or vector store; in pages, or with `format=csv` as a file with all rows.",
    query: usageQuery,
    answer: usageAnswer,
    handle: (call) => {
      const { user_id: userId = null, team_id: teamId = null, key_id: keyId = null } = call.query;
      return answer(call, { userId, teamId, keyId });
    },
  }),
];
