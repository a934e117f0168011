import { z } from "zod";
import type { Me } from "../../core/access/me.js";
import type { Session } from "../../words/session.js";
import { permissions } from "../permissions.js";
import { plainText, queryInteger, seconds } from "./common.js";

const kind = z.enum(["admin", "user", "server"]).describe("`server`: a key of the service itself");

/** As long as the longest key that is looked up. */
export const signInBody = z.object({ key: plainText(512) }).meta({ id: "SignInRequest" });

export const sessionParams = z.object({ session_id: plainText(100).describe("id of the session") });

export const meAnswer = z
  .object({
    object: z.literal("caller"),
    kind,
    read_only: z.boolean().describe("whether an administrator may only look"),
    name: z.string(),
    user_id: z.string().nullable(),
    team_id: z.string().nullable(),
    key_id: z.string().nullable(),
    vector_store_ids: z
      .array(z.string())
      .nullable()
      .describe("the only vector stores that the key may use, and it may create none; null: no such limit"),
    may: z.array(z.enum(permissions)).describe("what the key may do, as far as its vector stores permit it"),
    features: z.object({
      version: z.string(),
      litellm: z.boolean().describe("whether models and virtual keys come from a LiteLLM proxy"),
      litellm_management: z.boolean().describe("whether LiteLLM's users, teams and keys can be listed"),
      semantic: z.boolean(),
      keyword_search: z.boolean().describe("whether `keyword` and `hybrid` searches work"),
      chat_model: z.boolean().describe("whether a question may leave its model out"),
      rerank: z.boolean().describe("whether results can be reranked"),
      max_file_bytes: z.int(),
      api_url: z.string().nullable().describe("root of the API for other clients; null: as for this one"),
    }),
    session: z
      .object({ id: z.string(), expires_at: z.int() })
      .nullable()
      .describe("the sign-in that this request uses; null: it has a key"),
  })
  .meta({ id: "Me" });

const sessionFields = {
  object: z.literal("session"),
  id: z.string(),
  name: z.string(),
  kind,
  read_only: z.boolean().describe("whether an administrator may only look"),
  created_at: z.int(),
  expires_at: z.int().describe("when it ends, in Unix seconds"),
  last_used_at: z.int().describe("when it was used last, up to five minutes late, in Unix seconds"),
  address: z.string().nullable().describe("from where somebody signed in; null: unknown"),
  user_agent: z.string().nullable(),
};
export const newSessionAnswer = z.object({ ...sessionFields, caller: meAnswer }).meta({ id: "NewSession" });
const sessionAnswer = z.object({ ...sessionFields, current: z.boolean() }).meta({ id: "Session" });
export const ownSessionsAnswer = z
  .object({ object: z.literal("list"), data: z.array(sessionAnswer) })
  .meta({ id: "OwnSessionList" });
export const sessionsAnswer = z
  .object({ object: z.literal("list"), data: z.array(sessionAnswer), last_id: z.string(), has_more: z.boolean() })
  .meta({ id: "SessionList" });
export const deletedSessionAnswer = z
  .object({ id: z.string(), object: z.literal("session.deleted"), deleted: z.literal(true) })
  .meta({ id: "DeletedSession" });
export const signedOutAnswer = z
  .object({
    id: z.string().nullable().describe("of the session that has ended; null: there was none"),
    object: z.literal("session.deleted"),
    deleted: z.boolean(),
  })
  .meta({ id: "SignedOut" });

export const sessionsQuery = z.object({
  limit: queryInteger(1, 1000, 100),
  after: plainText(100).optional().describe("a session's id: returns the page after it"),
});

export const presentMe = (me: Me, may: z.input<typeof meAnswer>["may"]): z.input<typeof meAnswer> => ({
  object: "caller",
  kind: me.kind,
  read_only: me.readOnly,
  name: me.name,
  user_id: me.userId,
  team_id: me.teamId,
  key_id: me.keyId,
  vector_store_ids: me.onlyStores === null ? null : [...me.onlyStores],
  may,
  features: {
    version: me.features.version,
    litellm: me.features.litellm,
    litellm_management: me.features.litellmManagement,
    semantic: me.features.semantic,
    keyword_search: me.features.keywordSearch,
    chat_model: me.features.chatModel,
    rerank: me.features.rerank,
    max_file_bytes: me.features.maxFileBytes,
    api_url: me.features.apiUrl,
  },
  session: me.session === null ? null : { id: me.session.id, expires_at: seconds(me.session.expiresAt) },
});

export const presentNewSession = (session: Session, caller: z.input<typeof meAnswer>) => ({
  ...fieldsOf(session),
  caller,
});

/** @param current id of the session of this request */
export const presentSession = (session: Session, current: string | null): z.input<typeof sessionAnswer> => ({
  ...fieldsOf(session),
  current: session.id === current,
});

const fieldsOf = ({ id, name, role, address, userAgent, ...at }: Session) => ({
  object: "session" as const,
  id,
  name,
  kind: role === "user" ? role : role === "admin" || role === "viewer" ? ("admin" as const) : ("server" as const),
  read_only: role === "viewer",
  created_at: seconds(at.createdAt),
  expires_at: seconds(at.expiresAt),
  last_used_at: seconds(at.lastUsedAt),
  address,
  user_agent: userAgent,
});
