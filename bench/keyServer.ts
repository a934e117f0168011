import { hash } from "node:crypto";
import { answerEmbeddings } from "./embeddingServer.js";
import { type ModelAnswer, startModelServer } from "./modelServer.js";

/** Stands in for a LiteLLM with virtual keys, each of a user of its own; its model answers immediately. */
export interface KeyServer {
  url: string;
  masterKey: string;
  /** The keys that it knows. The user of the key at `i` is `user-<i>`, in the team `team-0`. */
  keys: readonly string[];
  /** How often it was asked whose a key is. */
  lookUps: () => number;
  /** How many of them cost LiteLLM a row: an unknown key that asks about itself. */
  rows: () => number;
}

const refusal = (status: number, type: string, message: string): ModelAnswer => ({
  status,
  json: { error: { message, type, param: "None", code: String(status) } },
});

/** The answers are those of LiteLLM 1.106.2. @param vectorOf embeds a text */
export async function startKeyServer(keyCount: number, vectorOf: (text: string) => Float32Array): Promise<KeyServer> {
  const masterKey = "sk-bench-master";
  const keys = Array.from({ length: keyCount }, (_, i) => `sk-bench-user-${i}`);
  const userOf = new Map(keys.map((key, i) => [hash("sha256", key), `user-${i}`]));
  let [lookUps, rows] = [0, 0];
  const { url } = await startModelServer({
    "POST /v1/embeddings": answerEmbeddings(vectorOf),
    "GET /key/info": (_, { query, key }) => {
      lookUps += 1;
      const asked = query.get("key") ?? hash("sha256", key);
      const user = userOf.get(asked);
      if (user !== undefined) return { json: { key: asked, info: { user_id: user, team_id: "team-0" } } };
      if (key === masterKey) return refusal(404, "not_found_error", "Key not found in database");
      rows += 1;
      return refusal(401, "token_not_found_in_db", "Authentication Error, Invalid proxy server token passed.");
    },
    "GET /team/info": () => ({ json: { team_info: { blocked: false, object_permission: null } } }),
    "GET /v2/user/info": () => ({ json: { user_role: "internal_user" } }),
  });
  return { url, masterKey, keys, lookUps: () => lookUps, rows: () => rows };
}
