import type { Management } from "../../litellm/managementContract.js";
import { ApiError } from "../../words/errors.js";

/** @throws ApiError 409 `litellm_not_managed` without a proxy or its master key */
export function requireManagement({ management }: { management: Management | null }): Management {
  if (management !== null) return management;
  throw new ApiError(
    409,
    "This service cannot ask LiteLLM about users, teams and keys: set LITELLM_PROXY_URL and LITELLM_MASTER_KEY.",
    { code: "litellm_not_managed" },
  );
}
