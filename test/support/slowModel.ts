import { type Answer, type Asked, type Provider, base64, failure, gateway, startProvider } from "../litellm/support.js";
import { testDimensions } from "./settings.js";
import { testVector } from "./vectors.js";

/** An embedding proxy, not LiteLLM, that can hold its vectors. */
export interface SlowModel extends Provider {
  /** Holds answers from now on. */
  hold(): void;
  /** Sends the held answers, and sends later ones at once. */
  release(): void;
}

const answer = ({ body }: Asked): Answer => ({
  json: {
    object: "list",
    data: body.input.map((text, index) => {
      const embedding = testVector(text.length, testDimensions);
      return {
        object: "embedding",
        index,
        embedding: body.encoding_format === "base64" ? base64(embedding) : embedding,
      };
    }),
    model: body.model,
    usage: { prompt_tokens: 1, total_tokens: 1 },
  },
});

export async function startSlowModel(): Promise<SlowModel> {
  let gate = gateway();
  gate.open();
  const provider = await startProvider(async (asked) => {
    if (asked.path !== "/v1/embeddings") return failure(404, "Not Found");
    await gate.opened;
    return answer(asked);
  });
  return {
    ...provider,
    /** Without the questions about models, which it does not answer. */
    get asked() {
      return provider.asked.filter(({ path }) => path === "/v1/embeddings");
    },
    hold: () => {
      gate = gateway();
    },
    release: () => {
      gate.open();
    },
  };
}
