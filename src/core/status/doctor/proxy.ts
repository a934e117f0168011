import type { Config } from "../../../process/config.js";
import { ownWork } from "../../../words/caller.js";
import { ApiError } from "../../../words/errors.js";
import type { Litellm, ProxyProbe } from "../../../litellm/contract.js";
import type { Findings } from "./findings.js";

const readinessLimitMs = 5000;

interface ProxyCheck {
  config: Config;
  findings: Findings;
  /** Null: no proxy is configured. */
  proxy: ProxyProbe | null;
  /** Whether a test text is embedded, for which a provider may charge. */
  embed: boolean;
  signal?: AbortSignal;
}

/** Checks the LiteLLM proxy, or another OpenAI-compatible provider: reachable, knows the models, embeds a text. */
export async function checkProxy({ config, findings, proxy, embed, signal }: ProxyCheck): Promise<void> {
  if (proxy === null) {
    findings.warn(
      "proxy",
      "none is configured: the built-in embedder compares words, not meaning",
      "Set LITELLM_PROXY_URL and EMBEDDING__MODEL for semantic search.",
    );
    return;
  }
  if (!(await checkReadiness(proxy, findings))) return;
  const { model, apiKey } = config.embedding;
  if (apiKey === null) {
    findings.warn(
      "proxy key",
      "none is configured",
      "Set LITELLM_MASTER_KEY or EMBEDDING__API_KEY, unless the proxy needs no key.",
    );
  }
  const litellm = proxy.litellm();
  const options = { caller: ownWork, signal };
  const names = await checkModel(litellm, model, findings, options);
  if (names !== null) {
    checkNamed("chat model", "CHAT_MODEL", config.chatModel, names, findings);
    checkNamed("rerank model", "RERANK_MODEL", config.rerankModel, names, findings);
  }
  if (embed) await checkEmbedding(litellm, config, findings, options);
}

type Options = Parameters<Litellm["models"]>[0];

async function checkEmbedding(litellm: Litellm, config: Config, findings: Findings, options: Options): Promise<void> {
  const { model, dimensions, dimensionsConfigured } = config.embedding;
  try {
    const began = performance.now();
    const { prompts } = await litellm.promptsOf(model, options);
    const choice = { model, dimensions, sendDimensions: dimensionsConfigured, prompts };
    await litellm.embedderFor(choice).embed(["vector-store doctor"], options);
    findings.ok(
      "embedding",
      `"${model}" answered ${dimensions} numbers in ${Math.round(performance.now() - began)} ms`,
    );
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    findings.fail("embedding", error.message, "Correct what it names and run the doctor again.");
  }
}

/** False if nothing answers; further checks would only repeat that. */
async function checkReadiness({ url, readiness }: ProxyProbe, findings: Findings): Promise<boolean> {
  const { status, failure } = await readiness(readinessLimitMs);
  if (status === null) {
    findings.fail(
      "proxy",
      `does not answer at ${url} (${failure ?? "no connection"})`,
      "Check LITELLM_PROXY_URL (or EMBEDDING__BASE_URL), that the proxy runs, and that this host may reach it.",
    );
    return false;
  }
  if (status >= 200 && status < 300) findings.ok("proxy", `ready at ${url}`);
  else if (status === 404)
    findings.warn(
      "proxy",
      `${url} answers, but has no /health/readiness`,
      "Nothing, if it is a provider other than LiteLLM. Otherwise check LITELLM_PROXY_URL.",
    );
  else findings.warn("proxy", `${url}/health/readiness answers HTTP ${status}`, "Look at the proxy's log.");
  return true;
}

/** Checks that the proxy lists an optional model, if one is set. */
function checkNamed(
  check: string,
  setting: string,
  model: string | null,
  names: readonly string[],
  findings: Findings,
): void {
  if (model === null) return;
  if (names.includes(model)) findings.ok(check, `"${model}" is one of the proxy's models`);
  else {
    const todo = `Set ${setting} to one of its models, or add the model to the proxy's model_list.`;
    findings.warn(check, `the proxy does not list "${model}"`, todo);
  }
}

/**
 * Checks that the proxy lists the embedding model. If not, it only warns: the proxy may serve the model by a wildcard.
 * The test embedding decides.
 * @returns the names of all models; null if the proxy does not list them
 */
async function checkModel(
  litellm: Litellm,
  model: string,
  findings: Findings,
  options: Options,
): Promise<string[] | null> {
  try {
    const names = (await litellm.models(options)).map((each) => each.id);
    if (!names.includes(model)) {
      const embedding = (await litellm.embeddingModels(options)).map((each) => each.id);
      const others =
        embedding.length > 0
          ? `its embedding models: ${embedding.join(", ")}`
          : `its models: ${names.slice(0, 20).join(", ") || "none"}`;
      findings.warn(
        "model",
        `the proxy does not list "${model}" (${others})`,
        "Set EMBEDDING__MODEL to one of them, or add the model to the proxy's model_list.",
      );
      return names;
    }
    findings.ok("model", `"${model}" is one of the proxy's ${names.length} ${names.length === 1 ? "model" : "models"}`);
    return names;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    findings.fail("model", error.message, "Correct what it names and run the doctor again.");
    return null;
  }
}
