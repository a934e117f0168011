import { type Answer, type Asked, type Provider, base64, gateway, startProvider } from "../litellm/support.js";
import { testDimensions } from "./settings.js";
import { testVector } from "./vectors.js";

/** An embedding proxy that can hold its answers. */
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
    await gate.opened;
    return answer(asked);
  });
  return Object.assign(provider, {
    hold: () => {
      gate = gateway();
    },
    release: () => {
      gate.open();
    },
  });
}
