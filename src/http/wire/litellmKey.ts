import { z } from "zod";
import type { LitellmKey } from "../../core/access/litellmKeys.js";
import { modelName, optional, plainText, queryInteger, rotation, seconds } from "./common.js";
import { notOurs, pageField, readToken, writeToken } from "./pageToken.js";

const text = plainText(256);
const longestLifeSeconds = 10 * 365 * 86_400;

export const litellmKeyParams = z.object({
  key_hash: z
    .string()
    .regex(/^[0-9a-f]{64}$/, "expected a SHA-256 of 64 hexadecimal digits; never send the key itself")
    .describe("SHA-256 of the key in hex, as LiteLLM names keys"),
});

export const litellmKeysQuery = z.object({
  limit: queryInteger(1, 100, 20),
  user_id: text.optional().describe("only keys of this user"),
  team_id: text.optional().describe("only keys of this team"),
  alias: text.optional().describe("only the key with exactly this alias"),
  page: pageField.describe("`next_page` of the page before, of the same filters"),
});

export const createLitellmKeyBody = z
  .object({
    user_id: optional(text),
    team_id: optional(text),
    alias: optional(text),
    models: optional(z.array(modelName).max(1000, "at most 1000 models")),
    vector_store_ids: optional(
      z
        .array(z.string().min(1, "must not be empty").max(200, "at most 200 characters"))
        .min(1, "must not be empty; leave it out for all vector stores")
        .max(1000, "at most 1000 ids"),
    ),
    max_budget: optional(z.number().min(0, "must be at least 0").max(1e12, "must be at most 1e12")),
    expires_in_seconds: optional(
      z.int().min(1, "must be at least 1").max(longestLifeSeconds, `must be at most ${longestLifeSeconds}`),
    ),
  })
  .refine((key) => key.user_id !== undefined || key.team_id !== undefined, "give user_id, team_id or both")
  .meta({ id: "CreateLitellmKeyRequest" });

export const rotateLitellmKeyBody = rotation.meta({ id: "RotateLitellmKeyRequest" });

const moment = z.int().nullable();
const keyFields = {
  object: z.literal("litellm_key"),
  id: z.string(),
  alias: z.string().nullable(),
  key_ending: z.string().nullable(),
  user_id: z.string().nullable(),
  team_id: z.string().nullable(),
  status: z.enum(["active", "blocked", "expired"]),
  models: z.array(z.string()),
  vector_store_ids: z.array(z.string()),
  spend: z.number(),
  max_budget: z.number().nullable(),
  created_at: moment,
  expires_at: moment,
  last_used_at: moment,
};
export const litellmKeyAnswer = z.object(keyFields).meta({ id: "LitellmKey" });
export const newLitellmKeyAnswer = z.object({ ...keyFields, key: z.string() }).meta({ id: "NewLitellmKey" });
export const litellmKeyListAnswer = z
  .object({
    object: z.literal("list"),
    data: z.array(litellmKeyAnswer),
    has_more: z.boolean(),
    next_page: z.string().nullable(),
    total: z.int(),
  })
  .meta({ id: "LitellmKeyList" });

type Query = z.output<typeof litellmKeysQuery>;
const filtersOf = ({ user_id: user = "", team_id: team = "", alias = "" }: Query) => [user, team, alias];

/** LiteLLM's pages have numbers. @throws ApiError 400 */
export function readLitellmKeys(query: Query) {
  const { page, limit, user_id: userId = null, team_id: teamId = null, alias = null } = query;
  const [number] = page === undefined ? ["1"] : readToken(page, filtersOf(query), 1);
  if (number == null || !/^[1-9]\d{0,8}$/.test(number)) throw notOurs();
  return { page: Number(number), limit, userId, teamId, alias };
}

const orNull = (millis: number | null) => (millis === null ? null : seconds(millis));

export const presentLitellmKey = (key: LitellmKey, now: number): z.input<typeof litellmKeyAnswer> => ({
  object: "litellm_key",
  id: key.hash,
  alias: key.alias,
  // LiteLLM says `sk-...OEeQ`.
  key_ending: key.shown?.slice(-4) ?? null,
  user_id: key.userId,
  team_id: key.teamId,
  status: key.blocked ? "blocked" : key.expiresAt !== null && key.expiresAt <= now ? "expired" : "active",
  models: [...key.models],
  vector_store_ids: [...key.vectorStores],
  spend: key.spend,
  max_budget: key.maxBudget,
  created_at: orNull(key.createdAt),
  expires_at: orNull(key.expiresAt),
  last_used_at: orNull(key.lastUsedAt),
});

export function presentLitellmKeys(
  { items, total }: { items: readonly LitellmKey[]; total: number },
  query: Query,
  now: number,
): z.input<typeof litellmKeyListAnswer> {
  const { page, limit } = readLitellmKeys(query);
  const hasMore = items.length > 0 && page * limit < total;
  return {
    object: "list",
    data: items.map((key) => presentLitellmKey(key, now)),
    has_more: hasMore,
    next_page: hasMore ? writeToken(filtersOf(query), [String(page + 1)]) : null,
    total,
  };
}
