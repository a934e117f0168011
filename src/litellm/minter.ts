import { z } from "zod";
import { ApiError, unavailable } from "../words/errors.js";
import { Secret } from "../words/secret.js";
import type { Minter } from "./keyContract.js";
import { saidIn } from "./managementAnswers.js";
import type { MasterCalls } from "./masterCalls.js";
import { removeKeys } from "./virtualKeys.js";

const mintedShape = z.object({ key: z.string().min(1), token: z.string().regex(/^[0-9a-f]{64}$/) });

/** What ingestion calls: embeddings, the vision model, and what LiteLLM says of models. */
const routes = [
  "/v1/embeddings",
  "/embeddings",
  "/v1/chat/completions",
  "/chat/completions",
  "/model/info",
  "/v1/models",
];

/**
 * Makes and deletes LiteLLM's keys (POST /key/generate, /key/delete, as observed with 1.106.2): what a key spends lands
 * on its user and team, and their models and budgets bind it.
 */
export function createMinter({ post }: Pick<MasterCalls, "post">): Minter {
  return {
    mint: async ({ payer, models, alias, seconds }) => {
      const answer = await post("/key/generate", {
        user_id: payer.userId,
        team_id: payer.teamId,
        models,
        key_alias: alias,
        duration: `${seconds}s`,
        allowed_routes: routes,
        metadata: { managed_by: "vector-store", on_behalf_of_key: payer.keyHash },
      });
      if (answer.status !== 200) throw mintError(answer);
      const parsed = mintedShape.safeParse(answer.body);
      if (!parsed.success) throw unavailable("The LiteLLM proxy's answer to POST /key/generate is not understood.");
      return { key: new Secret(parsed.data.key), hash: parsed.data.token };
    },
    remove: (hashes) => removeKeys({ post }, hashes),
  };
}

/** A refusal lasts until somebody corrects it: the user or the team may be gone, or the master key wrong. */
function mintError({ status, body }: { status: number; body: unknown }): ApiError {
  const said = saidIn(body);
  const reason = said === null ? "" : `: ${said.message.slice(0, 300)}`;
  const message = `The LiteLLM proxy makes no key for the file's user and team (HTTP ${status})${reason}`;
  return status >= 500 || status === 429
    ? unavailable(message, { retryAfterSeconds: 15 })
    : new ApiError(502, message, { code: "model_refused" });
}
