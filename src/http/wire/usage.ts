import { z } from "zod";
import type { Usage } from "../../core/access/usage.js";
import { invalid } from "../../words/errors.js";
import { type UsageGroup, type UsageQuery, usageGroups } from "../../words/usage.js";

const day = z
  .string()
  .regex(/^\d{4}-\d\d-\d\d$/, "expected a day in UTC such as 2026-01-31")
  .refine((text) => {
    const moment = Date.parse(`${text}T00:00:00Z`);
    return !Number.isNaN(moment) && new Date(moment).toISOString().startsWith(text);
  }, "is not a day of the calendar")
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
const text = z.string().min(1, "must not be empty").max(300, "at most 300 characters").optional();

const period = {
  from: day.describe("the first day, in UTC; default: 30 days ago"),
  to: day.describe("the last day, in UTC; default: today"),
  group_by: groups,
  vector_store_id: text.describe("only of this vector store"),
  action: text.describe("only this action: the id of an operation in this document, or `ingestFile`"),
  format: z.enum(["json", "csv"]).default("json"),
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
    totals: z.object(sums),
  })
  .meta({ id: "Usage" });

const dayMs = 86_400_000;
const usualDays = 30;
const dayOf = (millis: number) => new Date(millis).toISOString().slice(0, 10);

/** @throws ApiError 400 if the period ends before it begins */
export function readUsageQuery(
  query: z.output<typeof ownUsageQuery>,
  of: Pick<UsageQuery, "userId" | "teamId" | "keyId">,
  now: number,
): { asked: UsageQuery; groups: UsageGroup[] } {
  const to = query.to ?? dayOf(now);
  const from = query.from ?? dayOf(Date.parse(`${to}T00:00:00Z`) - usualDays * dayMs);
  if (from > to) throw invalid("from", "is after `to`");
  const asked = { ...of, from, to, storeId: query.vector_store_id ?? null, action: query.action ?? null };
  return { asked, groups: query.group_by.length === 0 ? ["day"] : query.group_by };
}

const present = ({
  durationMs,
  ...rest
}: {
  durationMs: number;
  requests: number;
  failures: number;
  tokens: number;
}) => ({
  ...rest,
  duration_ms: durationMs,
});

export const presentUsage = ({ from, to }: UsageQuery, { rows, totals }: Usage) => ({
  object: "usage" as const,
  from,
  to,
  data: rows.map(present),
  totals: present(totals),
});

/** RFC 4180. A value that a spreadsheet would take for a formula is quoted with an apostrophe. */
export function usageCsv(groups: readonly UsageGroup[], { rows }: Usage): string {
  const columns = [...groups, "requests", "failures", "tokens", "duration_ms"] as const;
  const cell = (value: string | number | undefined) => {
    const plain = String(value ?? "");
    const safe = typeof value === "string" && /^[=+\-@\t\r]/.test(plain) ? `'${plain}` : plain;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  const lines = rows.map((each) => {
    const shown: Record<string, string | number | undefined> = present(each);
    return columns.map((column) => cell(shown[column])).join(",");
  });
  return [columns.join(","), ...lines].map((line) => `${line}\r\n`).join("");
}
