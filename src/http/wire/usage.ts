import { z } from "zod";
import type { Usage, UsageRow } from "../../core/access/usage.js";
import { invalid } from "../../words/errors.js";
import {
  type UsageGroup,
  type UsagePlace,
  type UsageQuery,
  type UsageSums,
  placeColumns,
  usageGroups,
} from "../../words/usage.js";
import { plainText, queryInteger } from "./common.js";
import { notOurs, readToken, writeToken } from "./pageToken.js";

/** No usage is older: the first release of LiteLLM is of 2023. */
const firstDay = "2020-01-01";
/** So that an answer by day stays one that a client can show: more than USAGE_RETENTION_DAYS can be. */
const mostDays = 3_660;
const day = z
  .string()
  .regex(/^\d{4}-\d\d-\d\d$/, "expected a day in UTC such as 2026-01-31")
  .refine((text) => {
    const moment = Date.parse(`${text}T00:00:00Z`);
    return !Number.isNaN(moment) && new Date(moment).toISOString().startsWith(text);
  }, "is not a day of the calendar")
  .refine((text) => text >= firstDay, `must be ${firstDay} or later`)
  .optional();
const groups = z
  .string()
  .optional()
  .transform((text, context) => {
    const names = text === undefined || text === "" ? [] : text.split(",").map((name) => name.trim());
    const unknown = names.find((name) => !usageGroups.some((group) => group === name));
    if (unknown !== undefined || new Set(names).size < names.length) {
      context.addIssue({ code: "custom", message: `expected some of ${usageGroups.join(", ")}, separated by commas` });
    }
    return names as UsageGroup[];
  })
  .meta({ type: "string" })
  .describe(`what the sums are grouped by: ${usageGroups.join(", ")}, separated by commas; default: day`);
const text = plainText(300).optional();
const usualRows = 1_000;
const mostRows = 10_000;

const period = {
  from: day.describe(
    `the first day, in UTC; default: 30 days before the last; not before ${firstDay}, at most ${mostDays} days in all`,
  ),
  to: day.describe("the last day, in UTC; default: today"),
  group_by: groups,
  vector_store_id: text.describe("only of this vector store"),
  action: text.describe("only this action: the id of an operation in this document, or `ingestFile`"),
  format: z.enum(["json", "csv"]).default("json").describe("`csv`: a file with all rows, in the order of the groups"),
  limit: queryInteger(1, mostRows, 0).describe(`rows of a page of JSON; default: ${usualRows}`),
  page: plainText(12_000).optional().describe("`next_page` of the page before, with the same filters and groups"),
};

export const ownUsageQuery = z.object(period);
export const usageQuery = z.object({
  ...period,
  user_id: text.describe("only of this user of LiteLLM"),
  team_id: text.describe("only of this team"),
  key_id: text.describe("only of this key: its SHA-256 in hex, the id of a key of the service, `server` or `master`"),
});

const sums = {
  requests: z.int(),
  failures: z.int().describe("requests with a status of 400 or more"),
  tokens: z.int().describe("as the LiteLLM proxy counted them"),
  duration_ms: z.int(),
};
const group = z.string().optional();
const row = z
  .object({ day: group, user_id: group, team_id: group, key_id: group, vector_store_id: group, action: group, ...sums })
  .meta({ id: "UsageRow" });
export const usageAnswer = z
  .object({
    object: z.literal("usage"),
    from: z.string(),
    to: z.string(),
    data: z.array(row),
    has_more: z.boolean(),
    next_page: z.string().nullable(),
    totals: z.object(sums).describe("of all rows, not of the page's"),
  })
  .meta({ id: "Usage" });

const dayMs = 86_400_000;
const usualDays = 30;
const dayOf = (millis: number) => new Date(millis).toISOString().slice(0, 10);

export interface AskedUsage {
  asked: UsageQuery;
  groups: UsageGroup[];
  page: { limit: number; after: UsagePlace | null };
  /** What was asked for, as the token of the next page remembers it. */
  listed: readonly string[];
}

/** @throws ApiError 400 for a period that is too long or ends before it begins, or for a page of other sums */
export function readUsageQuery(
  query: z.output<typeof ownUsageQuery>,
  of: Pick<UsageQuery, "userId" | "teamId" | "keyId">,
  now: number,
): AskedUsage {
  const to = query.to ?? dayOf(now);
  const from = query.from ?? dayOf(Date.parse(`${to}T00:00:00Z`) - usualDays * dayMs);
  if (from > to) throw invalid("from", "is after `to`");
  const count = (Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / dayMs + 1;
  if (count > mostDays) throw invalid("from", `is ${count} days up to \`to\`; at most ${mostDays} days are summed`);
  if (query.format === "csv") {
    for (const name of ["page", "limit"] as const) {
      if (query[name] !== undefined && query[name] !== 0) throw invalid(name, "leave it out: a CSV file has all rows");
    }
  }
  const { vector_store_id: storeId = null, action = null } = query;
  const groups: UsageGroup[] = query.group_by.length === 0 ? ["day"] : query.group_by;
  // The default period moves on at midnight, which is no other list.
  const days = [query.from, query.to].map((each) => each ?? "");
  const whose = [of.userId, of.teamId, of.keyId, storeId, action].map((each) => each ?? "");
  const listed = ["usage", ...days, groups.join(","), ...whose];
  const after = query.page === undefined ? null : readPlace(query.page, listed, groups);
  const page = { limit: query.limit === 0 ? usualRows : query.limit, after };
  return { asked: { ...of, from, to, storeId, action }, groups, page, listed };
}

function readPlace(page: string, listed: readonly string[], groups: readonly UsageGroup[]): UsagePlace {
  const columns = placeColumns(groups, "requests");
  const place = readToken(page, listed, columns.length).map((part) => part ?? "");
  const isOurs = columns.every((column, i) => {
    const part = place[i] ?? "";
    if (column === "day") return day.safeParse(part).success;
    return column === "requests" ? /^\d{1,18}$/.test(part) : !part.includes("\0");
  });
  if (!isOurs) throw notOurs();
  return place;
}

const present = <T extends UsageSums>({ durationMs, ...rest }: T) => ({ ...rest, duration_ms: durationMs });

export const presentUsage = ({ asked: { from, to }, listed }: AskedUsage, { rows, next, totals }: Usage) => ({
  object: "usage" as const,
  from,
  to,
  data: rows.map(present),
  has_more: next !== null,
  next_page: next === null ? null : writeToken(listed, next),
  totals: present(totals),
});

const sumColumns = ["requests", "failures", "tokens", "duration_ms"] as const;
const csvLine = (cells: readonly string[]) => `${cells.join(",")}\r\n`;
export const csvHeader = (groups: readonly UsageGroup[]): string => csvLine([...groups, ...sumColumns]);

/** RFC 4180. A value that a spreadsheet would take for a formula is quoted with an apostrophe. */
export function csvLines(groups: readonly UsageGroup[], rows: readonly UsageRow[]): string {
  const cell = (value: string | number | undefined) => {
    const plain = String(value ?? "");
    const safe = typeof value === "string" && /^[=+\-@\t\r]/.test(plain) ? `'${plain}` : plain;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  const lines = rows.map((row) => {
    const shown: Record<string, string | number | undefined> = present(row);
    return csvLine([...groups, ...sumColumns].map((column) => cell(shown[column])));
  });
  return lines.join("");
}
