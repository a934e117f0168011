import { ApiError, invalid, unavailable } from "../words/errors.js";
import type { Account } from "./account.js";
import { type Failure, isLasting, isTooLong, mayRefuseText, namesInputType } from "./failures.js";
import {
  type Asked,
  badGateway,
  gatewayTimeout,
  lasting,
  rateLimited,
  readable,
  refusalOf,
  tooLongCode,
  wholeSeconds,
} from "./gatewayErrors.js";
import { keyError } from "./keyErrors.js";
import { type Prompts, noPrompts } from "../words/prompts.js";

/** A model, and where its name is set: that is where the operator looks if the proxy refuses it. */
export interface NamedModel {
  readonly model: string;
  readonly namedBy: "settings" | "store";
}

export const embedding: Asked = {
  provider: "The embedding provider",
  purpose: "embeddings",
  timeLimit: "EMBEDDING__TIMEOUT_SECONDS",
  texts: "input",
};

/**
 * For a request whose model the settings or a store name: a refusal is the operator's to fix, not the caller's (502).
 * The message is ours, because the provider's may quote texts.
 */
export function serviceError(failure: Failure, account: Account, named: NamedModel): ApiError {
  const error =
    commonError(failure, account) ??
    badGateway(failure.status === 403 ? notAllowed(named) : notServed(named, failure.status));
  return isLasting(failure) ? lasting(error) : error;
}

/**
 * The same for a model that refuses even a harmless text of ours: nothing is wrong with the caller's. Quotes the
 * provider, whose sentence can only be about the harmless text.
 */
export function refusesAllError(
  failure: Failure,
  account: Account,
  named: NamedModel & { readonly prompts?: Prompts | undefined },
): ApiError {
  if (!mayRefuseText(failure)) return serviceError(failure, account, named);
  const { model, namedBy, prompts = noPrompts } = named;
  const why = `(HTTP ${failure.status}): ${readable(failure.message).replace(/[^.!?…]$/, "$&.")}`;
  if (prompts.inputType === null || !namesInputType(failure)) {
    return lasting(
      badGateway(`The embedding provider refused the request for model '${model}' ${why} ${toCheck(namedBy)}`),
    );
  }
  return lasting(
    badGateway(
      `The embedding model '${model}' refuses the parameter input_type ${why} ` +
        "A vector store's input_type cannot be changed: create another with input_type 'none' " +
        "(EMBEDDING__INPUT_TYPE sets it for all new ones).",
    ),
  );
}

const notAllowed = ({ model, namedBy }: NamedModel) =>
  `The embedding provider does not let the service's key use the model '${model}'. ` +
  (namedBy === "settings"
    ? "Check EMBEDDING__API_KEY (or LITELLM_MASTER_KEY) and EMBEDDING__MODEL."
    : "Check EMBEDDING__API_KEY (or LITELLM_MASTER_KEY) and the store's embedding_model.");

const notServed = ({ model, namedBy }: NamedModel, status: number) =>
  `The embedding provider refused the request for model '${model}' (HTTP ${status}). ${toCheck(namedBy)}`;

const toCheck = (namedBy: NamedModel["namedBy"]) =>
  namedBy === "settings"
    ? "Check that EMBEDDING__MODEL names an embedding model it serves."
    : "Check that the store's embedding_model names an embedding model the proxy serves.";

/** 502: the model's vectors have another length than expected. */
export function lengthError({ model, namedBy }: NamedModel, answered: number, expected: number): ApiError {
  return badGateway(
    `The model '${model}' answers vectors of ${answered} dimensions, but ` +
      (namedBy === "settings"
        ? `this service is set to ${expected}. Set EMBEDDING__DIMENSIONS to the model's number.`
        : `the store's embedding_dimensions is ${expected}. Check which model the proxy serves by this name.`),
  );
}

/** For a model that a caller chooses for a new store: a refusal is the caller's to fix (400). */
export function choiceError(failure: Failure, account: Account, model: string): ApiError {
  return (
    commonError(failure, account) ??
    invalid(
      "embedding_model",
      `the proxy does not embed with the model '${model}' (HTTP ${failure.status}): ${readable(failure.message)}`,
    )
  );
}

/** For a request whose caller named the model: passes the provider's refusal on, with its status and message. */
export function passedOnError(failure: Failure, account: Account, asked = embedding): ApiError {
  if (isTooLong(failure)) {
    return new ApiError(400, readable(failure.message), { param: asked.texts, code: tooLongCode });
  }
  if (failure.kind === "status" && failure.status === 429) return rateLimited(failure, readable(failure.message));
  return commonError(failure, account, asked) ?? refusalOf(failure);
}

/**
 * The same for a model that the settings or a store name: only the operator can fix it (502). `where`: the setting. A
 * text that is too long is the caller's all the same.
 */
export function refusedError(
  failure: Failure,
  account: Account,
  { asked, model, where }: { asked: Asked; model: string; where: string },
): ApiError {
  if (isTooLong(failure)) {
    return new ApiError(400, `The text is longer than the model '${model}' reads: ${readable(failure.message)}`, {
      param: asked.texts,
      code: tooLongCode,
    });
  }
  return (
    commonError(failure, account, asked) ??
    badGateway(
      failure.status === 403
        ? `${asked.provider} does not let the service's key use the model '${model}'. Check EMBEDDING__API_KEY (or LITELLM_MASTER_KEY) and ${where}.`
        : `${asked.provider} refused the request for model '${model}' (HTTP ${failure.status}): ${readable(failure.message)} Check ${where}.`,
    )
  );
}

/** Errors common to all requests: outages and refusals of the key. null if the provider refused the request itself. */
function commonError(failure: Failure, account: Account, asked = embedding): ApiError | null {
  const { provider } = asked;
  const retryAfterSeconds = wholeSeconds(failure.retryAfterMs);
  switch (failure.kind) {
    case "timeout":
      return gatewayTimeout(asked);
    case "network":
      return unavailable(`${provider} cannot be reached at the moment.`);
    case "breaker":
      return unavailable(`${provider} failed several times in a row. Requests to it pause for some seconds.`, {
        retryAfterSeconds,
      });
    case "unusable":
      return badGateway(`${provider}'s answer is not JSON. Check EMBEDDING__BASE_URL (or LITELLM_PROXY_URL).`);
    case "status":
      break;
  }
  const aboutKey = keyError(failure, account, asked);
  if (aboutKey !== null) return aboutKey;
  if (failure.status === 408) return gatewayTimeout(asked);
  if (failure.status >= 500) return badGateway(`${provider} failed (HTTP ${failure.status}).`, retryAfterSeconds);
  return null;
}
