import { version } from "../../process/version.js";
import type { Caller } from "../../words/caller.js";
import { nameOf } from "../../words/callerName.js";
import { unauthorized } from "../../words/errors.js";
import type { Deps } from "../deps.js";

/** What a page must know of the caller and of the service to show only what works. Nothing here is secret. */
export interface Me {
  kind: Exclude<Caller["kind"], "nobody">;
  readOnly: boolean;
  name: string;
  userId: string | null;
  teamId: string | null;
  /** As the lists of keys name it; null: one of the settings. */
  keyId: string | null;
  /** The only stores that it may use; null: whatever is its own or was granted. */
  onlyStores: readonly string[] | null;
  session: { id: string; expiresAt: number } | null;
  features: {
    version: string;
    litellm: boolean;
    litellmManagement: boolean;
    semantic: boolean;
    keywordSearch: boolean;
    chatModel: boolean;
    rerank: boolean;
    maxFileBytes: number;
    apiUrl: string | null;
  };
}

/** @throws ApiError 401 for nobody */
export function describe({ config, engine, litellm, management }: Deps, caller: Caller): Me {
  if (caller.kind === "nobody") throw unauthorized("This request has no key.");
  const user = caller.kind === "user" ? caller : caller.kind === "admin" ? caller.user : null;
  const proxy = config.embedding.baseUrl !== null;
  return {
    kind: caller.kind,
    readOnly: caller.kind === "admin" && caller.readOnly,
    name: nameOf(caller),
    userId: user?.userId ?? null,
    teamId: user?.teamId ?? null,
    keyId: caller.kind === "server" ? caller.keyId : (user?.keyHash ?? null),
    onlyStores: caller.kind === "server" ? caller.onlyStores : (user?.onlyStores ?? null),
    session: caller.session ?? null,
    features: {
      version,
      litellm: proxy,
      litellmManagement: management !== null,
      semantic: !litellm.embedder.builtIn,
      keywordSearch: engine.words !== null,
      chatModel: config.chatModel !== null,
      rerank: proxy,
      maxFileBytes: config.files.maxBytes,
      apiUrl: config.apiUrl,
    },
  };
}
