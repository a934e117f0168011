import type { ReadIdentity, SignedIdentity } from "../../litellm/keyContract.js";
import type { Config } from "../../process/config.js";
import type { ServerKey } from "../../words/accessKey.js";
import type { Caller } from "../../words/caller.js";
import { ApiError } from "../../words/errors.js";
import type { AskedThroughLitellm } from "../../words/identity.js";
import { callerFor } from "./userCallers.js";

interface Parts {
  config: Config["access"];
  read: ReadIdentity;
  /** Who holds a LiteLLM key, by its SHA-256; null: LiteLLM cannot be asked about a key that is not at hand. */
  holderOf: ((keyHash: string) => Promise<Caller>) | null;
}

/**
 * Makes the function that tells who asks through LiteLLM, for a key of the service that works only with LiteLLM's
 * signed word about that.
 * @throws ApiError 401 `identity_required` unless exactly one token says it, and is about this request; also as
 * `createUserCallers`
 */
export function createIdentities({ config, read, holderOf }: Parts) {
  return async (key: ServerKey, asked: AskedThroughLitellm): Promise<Caller> => {
    const { keyHash, role, ...identity } = signedFor(asked, read);
    const through = key.scope;
    if (keyHash === null) return { kind: "admin", readOnly: false, user: null, through };
    // The key says more surely than `sub` who asks: LiteLLM's user_header_mappings let a caller name another user.
    if (holderOf !== null) return { ...(await holderOf(keyHash)), through };
    const user = { userId: identity.userId, teamId: identity.teamId, keyHash, key: null, onlyStores: null };
    return { ...callerFor(user, role, config), through };
  };
}

function signedFor({ tokens, operation, storeId }: AskedThroughLitellm, read: ReadIdentity): SignedIdentity {
  const [token, ...others] = tokens;
  if (token === undefined) throw refused("LiteLLM sent none; is vector_store_identity.instance one of its callbacks?");
  if (others.length > 0) throw refused("there are several");
  const result = read(token);
  if ("problem" in result) throw refused(result.problem);
  const { identity } = result;
  if (operation === null || identity.operation !== operation) throw refused("it is for another operation");
  if (identity.storeId !== storeId) throw refused("it is for another vector store");
  return identity;
}

const refused = (problem: string) =>
  new ApiError(401, `This key works only with LiteLLM's signed word who asks (x-vector-store-identity): ${problem}.`, {
    type: "authentication_error",
    code: "identity_required",
    headers: { "www-authenticate": "Bearer" },
  });
