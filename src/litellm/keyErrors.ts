import { ApiError, unauthorized, unavailable } from "../words/errors.js";
import type { Account } from "./account.js";
import { type Failure, isOverBudget } from "./failures.js";
import { type Asked, badGateway, rateLimited, readable, refusalOf, wholeSeconds } from "./gatewayErrors.js";

/**
 * The error when the proxy refused a key or could not check it. Users get the refusal of their own key with the
 * provider's status and message. The service's key is the operator's to fix, so those messages name settings.
 * @returns null if the failure is not about the key; also for a 403 of the service's key, whose message depends on who
 * named the model
 */
export const keyError = (failure: Failure, account: Account, asked: Asked): ApiError | null =>
  account.owner === "user" ? usersKeyError(failure) : servicesKeyError(failure, asked);

function usersKeyError(failure: Failure): ApiError | null {
  if (failure.type === "no_db_connection") {
    return unavailable("The LiteLLM proxy cannot check your key because it has no database connection.", {
      retryAfterSeconds: wholeSeconds(failure.retryAfterMs),
    });
  }
  if (isOverBudget(failure)) {
    return new ApiError(422, said(failure, "The budget of your key at the LiteLLM proxy is spent."), overBudget);
  }
  if (failure.status === 401) return unauthorized(said(failure, "The LiteLLM proxy does not accept your key."));
  if (failure.status === 403) {
    const { details } = refusalOf(failure);
    return new ApiError(403, said(failure, "The LiteLLM proxy does not let your key do this."), details);
  }
  if (failure.status === 429) return rateLimited(failure, said(failure, "The rate limit of your key is reached."));
  return null;
}

function servicesKeyError(failure: Failure, { provider, purpose }: Asked): ApiError | null {
  if (failure.type === "no_db_connection") {
    return unavailable(
      "The LiteLLM proxy cannot check the service's key because it has no database connection. If it runs without a database, EMBEDDING__API_KEY must be its master key.",
      { retryAfterSeconds: wholeSeconds(failure.retryAfterMs) },
    );
  }
  if (isOverBudget(failure)) {
    return new ApiError(422, `The budget for ${purpose} at the LiteLLM proxy is spent.`, overBudget);
  }
  if (failure.status === 401) {
    return badGateway(
      `${provider} does not accept the service's own key. Check EMBEDDING__API_KEY (or LITELLM_MASTER_KEY).`,
    );
  }
  if (failure.status === 429) return rateLimited(failure, `${provider}'s rate limit is reached. Try again later.`);
  return null;
}

const overBudget = { code: "budget_exceeded" };

/** The provider's message, or ours if its answer had none that the `openai` client could read. */
function said({ message }: Failure, otherwise: string): string {
  const text = readable(message);
  return text === "" || /^\d{3} status code \(no body\)$/.test(text) ? otherwise : text;
}
