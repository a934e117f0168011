import { hash, timingSafeEqual } from "node:crypto";
import type { Database } from "../../db/database.js";
import type { Directory, ReadIdentity } from "../../litellm/keyContract.js";
import type { Config } from "../../process/config.js";
import type { Log } from "../../process/log.js";
import { type Caller, fullServer } from "../../words/caller.js";
import { unauthorized } from "../../words/errors.js";
import type { AskedThroughLitellm } from "../../words/identity.js";
import { createIdentities } from "./identities.js";
import { isServerKey, knownServerKeys } from "./serverKeys.js";
import { createUserCallers } from "./userCallers.js";

/** Tells who sent a key. */
export interface Callers {
  /**
   * @param asked believed only beside a key of the service that requires it
   * @throws ApiError 401 for an unknown key, always the same one; also as `createUserCallers` and `createIdentities`
   */
  of(token: string, asked: AskedThroughLitellm): Promise<Caller>;
  /** Makes a key of the service be looked up again, after it was changed in this process. */
  forgetServerKeys: () => void;
  /** Makes a LiteLLM key be looked up again, after it was changed. @param hash SHA-256 of the key in hex */
  forgetUserKey: (hash: string) => void;
}

/** The keys that need no look-up. */
export interface FixedKeys {
  server: string | null;
  master: string | null;
}

interface Parts {
  config: Config["access"];
  db: Database;
  log: Log;
  /** Null: without a proxy, or with one that is not asked about keys. */
  directory: Directory | null;
  readIdentity: ReadIdentity;
  now: () => number;
  random?: () => number;
}

const digest = (text: string) => hash("sha256", text, "buffer");
/** The longest key that is looked up; LiteLLM's own have 25 characters, ours 49. */
const longest = 512;

export function createCallers(fixed: FixedKeys, parts: Parts): Callers {
  const [server, master] = [fixed.server, fixed.master].map((key) => (key === null ? null : digest(key)));
  const ofService = knownServerKeys(parts);
  const users = parts.directory === null ? null : createUserCallers({ ...parts, directory: parts.directory });
  const throughLitellm = createIdentities({
    config: parts.config,
    read: parts.readIdentity,
    holderOf: users?.ofHash ?? null,
  });
  return {
    of: async (token, asked) => {
      const sent = digest(token);
      // Always compare with both, so that the time reveals nothing about either.
      const isServer = server != null && timingSafeEqual(sent, server);
      const isMaster = master != null && timingSafeEqual(sent, master);
      if (isMaster) return { kind: "admin", readOnly: false, user: null };
      if (isServer) return fullServer;
      if (isServerKey(token)) {
        const key = await ofService.of(sent);
        if (key.identityRequired) return throughLitellm(key, asked);
        return { kind: "server", keyId: key.id, scope: key.scope, onlyStores: key.stores };
      }
      // LiteLLM itself takes nothing else for a key, but would write down that it was asked.
      if (users !== null && token.length <= longest && /^sk-[\x21-\x7e]+$/.test(token)) return users.of(token);
      throw unauthorized("Incorrect API key provided.");
    },
    forgetServerKeys: ofService.forget,
    forgetUserKey: (keyHash) => users?.forget(keyHash),
  };
}
