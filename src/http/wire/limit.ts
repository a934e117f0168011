import { z } from "zod";
import type { Allowance } from "../../core/access/limits.js";
import type { LimitEntry, Limits } from "../../words/limit.js";
import { plainText, queryInteger, seconds } from "./common.js";

const subject = z
  .string()
  .max(262, "at most 262 characters")
  .regex(/^(user|team|key|store):[^\0]+$/su, 'expected "user:ID", "team:ID", "key:ID" or "store:ID"');

export const limitParams = z.object({
  subject: subject.describe("`user:ID`, `team:ID`, `key:ID` or `store:ID`, percent-encoded"),
});

export const limitListQuery = z.object({
  limit: queryInteger(1, 1000, 100),
  after: plainText(262).optional().describe("a subject: returns the page after it"),
  subject: subject.optional().describe("only the limits of this `user:ID`, `team:ID`, `key:ID` or `store:ID`"),
});

const number = z.int("expected a whole number").min(0, "must be at least 0");
/** Unlike elsewhere, null is not absent: it lifts a limit that a setting has. */
const limit = number.nullable().optional();

export const limitBody = z
  .object({ vector_stores: limit, bytes: limit, requests_per_minute: limit })
  .refine((body) => Object.keys(body).length > 0, "give at least one limit")
  .meta({ id: "LimitsRequest" });

export const readLimitBody = (body: z.output<typeof limitBody>): Partial<Limits> => ({
  ...(body.vector_stores !== undefined && { vectorStores: body.vector_stores }),
  ...(body.bytes !== undefined && { bytes: body.bytes }),
  ...(body.requests_per_minute !== undefined && { requestsPerMinute: body.requests_per_minute }),
});

export const limitAnswer = z
  .object({
    object: z.literal("limits"),
    subject: z.string(),
    vector_stores: limit,
    bytes: limit,
    requests_per_minute: limit,
    set_at: z.int(),
    set_by: z.string(),
  })
  .meta({ id: "Limits" });

export const limitListAnswer = z
  .object({ object: z.literal("list"), data: z.array(limitAnswer), last_id: z.string(), has_more: z.boolean() })
  .meta({ id: "LimitsList" });

export const deletedLimitAnswer = z
  .object({ object: z.literal("limits.deleted"), subject: z.string(), deleted: z.literal(true) })
  .meta({ id: "DeletedLimits" });

export const allowancesAnswer = z
  .object({
    object: z.literal("list"),
    data: z.array(
      z.object({
        object: z.literal("allowance"),
        subject: z.string(),
        vector_stores: z.int().nullable(),
        bytes: z.int().nullable(),
        requests_per_minute: z.int().nullable(),
        used_vector_stores: z.int(),
        used_bytes: z.int(),
      }),
    ),
  })
  .meta({ id: "Allowances" });

const present = (limits: Partial<Limits>) => ({
  vector_stores: limits.vectorStores,
  bytes: limits.bytes,
  requests_per_minute: limits.requestsPerMinute,
});

export const presentLimits = ({ subject: whose, limits, setAt, setBy }: LimitEntry) => ({
  object: "limits" as const,
  subject: whose,
  ...present(limits),
  set_at: seconds(setAt),
  set_by: setBy,
});

export const presentAllowance = ({ subject: whose, limits, used }: Allowance) => ({
  object: "allowance" as const,
  subject: whose,
  ...present(limits),
  used_vector_stores: used.vectorStores,
  used_bytes: used.bytes,
});
