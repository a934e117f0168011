import { BulkheadRejectedError, bulkhead } from "cockatiel";
import { z } from "zod";
import type { Metrics } from "../process/metrics.js";
import { traceHeaders } from "../process/tracing.js";
import { ApiError, unauthorized, unavailable } from "../words/errors.js";
import type { Secret } from "../words/secret.js";
import type { Directory, KeyFacts } from "./keyContract.js";
import { momentOf, saidIn } from "./managementAnswers.js";

/** A look-up takes 30 to 300 ms; one that takes this long will not answer. */
const limitMs = 5_000;
/** One LiteLLM worker answers about 60 look-ups a second, and searches and model calls need it as well. */
const atOnce = 8;
const mostWaiting = 1_000;

interface Answer {
  status: number;
  body: unknown;
}

const permission = z
  .object({ vector_stores: z.array(z.string()).nullish() })
  .nullish()
  .transform((given) => given?.vector_stores ?? []);
const keyShape = z.object({
  key: z.string(),
  info: z.object({
    user_id: z.string().nullish(),
    team_id: z.string().nullish(),
    blocked: z.boolean().nullish(),
    expires: z.string().nullish(),
    status: z.string().nullish(),
    object_permission: permission,
  }),
});
const teamShape = z.object({
  team_info: z.object({ blocked: z.boolean().nullish(), object_permission: permission }),
});
const teamsShape = z.object({ total: z.int() });
const modelsShape = z.object({ info: z.object({ models: z.array(z.string()).nullish() }) });
const userShape = z.object({ user_role: z.string().nullish() });

/** All keys of LiteLLM's own web page claim to be of this team; its users would share their stores. */
const sessionTeam = "litellm-dashboard";
export const teamOf = (id: string | null): string | null => (id === sessionTeam ? null : id);

const wrongKey = () => unauthorized("Incorrect API key provided.");
const cannotTell = (why: string, cause?: unknown) =>
  unavailable(`Your key cannot be checked at the moment: ${why}. Try again shortly.`, {
    code: "key_check_failed",
    cause,
  });

/**
 * What LiteLLM says of its keys, teams and users (GET /key/info, /team/info, /v2/user/info, as observed with 1.106.2).
 * @param masterKey asks in the place of the key itself. Then a key that LiteLLM does not know costs it no row in its
 *   database, and keys that may not ask about themselves (`key_type: llm_api`) are known, too.
 */
export function createDirectory(baseUrl: string, masterKey: Secret | null, metrics: Metrics): Directory {
  const slots = bulkhead(atOnce, mostWaiting);

  async function ask(path: string, bearer: Secret | null): Promise<Answer> {
    if (bearer === null) throw cannotTell("only LITELLM_MASTER_KEY may ask for a key that is not at hand");
    try {
      return await slots.execute(async () => {
        const answer = await fetch(`${baseUrl}${path}`, {
          headers: { ...traceHeaders(), authorization: `Bearer ${bearer.reveal()}` },
          signal: AbortSignal.timeout(limitMs),
          redirect: "error",
        });
        const body: unknown = await answer.json().catch(() => null);
        metrics.keyLookups.inc({ status: String(answer.status) });
        return { status: answer.status, body };
      });
    } catch (error) {
      if (error instanceof BulkheadRejectedError) throw cannotTell("too many other keys are being checked");
      metrics.keyLookups.inc({ status: "none" });
      throw cannotTell("the LiteLLM proxy does not answer", error);
    }
  }

  return {
    asksAsMaster: masterKey !== null,
    key: async (key, hash) => {
      const answer = masterKey === null ? await ask("/key/info", key) : await ask(`/key/info?key=${hash}`, masterKey);
      return readKey(answer, hash, masterKey !== null);
    },
    team: async (id, key) => {
      const answer = await ask(`/team/info?team_id=${encodeURIComponent(id)}`, masterKey ?? key);
      if (answer.status === 404 && masterKey !== null) {
        // LiteLLM says so while its database is away, too; its list fails then.
        const listed = await ask(`/v2/team/list?team_id=${encodeURIComponent(id)}&page=1&page_size=1`, masterKey);
        if (readOk(listed, teamsShape, "team").total === 0) throw wrongKey();
      }
      const { team_info: team } = readOk(answer, teamShape, "team");
      return { blocked: team.blocked ?? false, vectorStores: team.object_permission };
    },
    modelsOf: async (hash) => {
      if (masterKey === null) return [];
      const answer = await ask(`/key/info?key=${hash}`, masterKey);
      if (answer.status === 404) return [];
      return readOk(answer, modelsShape, "key").info.models ?? [];
    },
    role: async (userId, key) => {
      const answer = await ask(`/v2/user/info?user_id=${encodeURIComponent(userId)}`, masterKey ?? key);
      // Keys may name a user that LiteLLM does not have.
      if (answer.status === 404 || answer.status === 403) return null;
      return readOk(answer, userShape, "user").user_role ?? null;
    },
  };
}

function readKey(answer: Answer, hash: string, byMaster: boolean): KeyFacts {
  if (answer.status !== 200) throw refusalOf(answer, byMaster);
  const { key, info } = readOk(answer, keyShape, "key");
  // While its database is away, LiteLLM may answer for a key that it has not checked.
  if (key !== hash) throw cannotTell("the LiteLLM proxy answered about another key");
  const expiresAt = momentOf(info.expires ?? null);
  const isActive = (info.status ?? "active") === "active" && info.blocked !== true;
  if (!isActive || (expiresAt !== null && expiresAt <= Date.now())) throw wrongKey();
  return {
    userId: info.user_id ?? null,
    teamId: teamOf(info.team_id ?? null),
    expiresAt,
    vectorStores: info.object_permission,
  };
}

function readOk<T>(answer: Answer, shape: z.ZodType<T>, what: string): T {
  if (answer.status !== 200) throw cannotTell(`the LiteLLM proxy answered ${answer.status} about your ${what}`);
  const parsed = shape.safeParse(answer.body);
  if (!parsed.success) throw cannotTell(`the LiteLLM proxy's answer about your ${what} is not understood`);
  return parsed.data;
}

/**
 * Most refusals prove nothing: while its database is away, LiteLLM answers 401 `auth_error` for good keys, too. Only
 * what it says of the key itself is believed.
 */
function refusalOf({ status, body }: Answer, byMaster: boolean): ApiError {
  const { type, message } = saidIn(body) ?? { type: "", message: "" };
  // It says the same if it was started while its database was away, so this refuses no key.
  if (/^(Database not connected|No connected db)/.test(message))
    return cannotTell("the LiteLLM proxy has no database, and without one it has no virtual keys");
  if (byMaster) {
    if (status === 404 && type !== "") return wrongKey();
    return cannotTell(
      status === 401
        ? "the LiteLLM proxy does not accept this service's master key"
        : `the LiteLLM proxy answered ${status}`,
    );
  }
  // Some other provider than LiteLLM: it has no keys that we could know.
  if (status === 404) return wrongKey();
  if (status === 401 && isAboutKey(type, message)) return wrongKey();
  if (status === 403 && /not allowed to call this route/i.test(message)) {
    return new ApiError(403, "Your key may not ask LiteLLM about itself, so this service cannot tell whose it is.", {
      type: "permission_error",
      code: "key_not_readable",
    });
  }
  return cannotTell(`the LiteLLM proxy answered ${status}`);
}

const isAboutKey = (type: string, message: string): boolean =>
  type === "token_not_found_in_db" ||
  type === "expired_key" ||
  (type === "auth_error" &&
    /Key is blocked|Team=.*\bis blocked|expected to start with 'sk-'|No api key passed in/i.test(message));
