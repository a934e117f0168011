import { invalid } from "../../src/words/errors.js";
import type { ModelChoice, ModelTrial } from "../../src/litellm/contract.js";
import { hashTexts } from "../../src/litellm/hashingEmbedder.js";
import { testDimensions } from "../support/settings.js";
import { testVector } from "../support/vectors.js";
import { type TestService } from "../support/service.js";
import { bodyOf, stubLitellm } from "../support/stores.js";

export interface StoreBody {
  id: string;
  name: string;
  embedding_model: string;
  embedding_dimensions: number;
  metadata: Record<string, unknown>;
  index: { state: string };
}

export const storesPath = "/v1/vector_stores";
export const storePath = (id: string) => `${storesPath}/${id}`;
export const create = async (service: TestService, body: object) =>
  (await bodyOf(service.post(storesPath, body).expect(200))) as StoreBody;

/** The proxy's models and their default dimensions. */
export const models: Record<string, number> = { "settings-model": testDimensions, small: 4, large: 3072 };

export interface Call {
  choice: ModelChoice;
  what: "texts" | "query";
  texts: string[];
}

/**
 * A proxy with some models that records its requests. Each model hashes its name into its vectors; the query "as row 5"
 * has that seed's vector.
 */
export function recordingLitellm(calls: Call[]) {
  const usual = stubLitellm({});
  const embedderFor = (choice: ModelChoice) => {
    const { model, dimensions } = choice;
    const made = (texts: readonly string[]) =>
      hashTexts(
        texts.map((text) => `${model} ${text}`),
        dimensions,
      );
    const record = (what: Call["what"], texts: string[]) => calls.push({ choice, what, texts });
    return {
      ...{ model, dimensions, builtIn: false },
      embed: (texts: readonly string[]) => (record("texts", [...texts]), made(texts)),
      embedQuery: async (text: string) => {
        record("query", [text]);
        const seed = /^as row (\d+)$/.exec(text)?.[1];
        if (seed !== undefined) return Float32Array.from(testVector(Number(seed), dimensions));
        return (await made([text]))[0] ?? new Float32Array();
      },
    };
  };
  return {
    ...usual,
    embedder: embedderFor({ model: "settings-model", dimensions: testDimensions, sendDimensions: true }),
    embedderFor,
    /** Every model can shorten its vectors. */
    dimensionsOf: ({ model, dimensions: asked }: ModelTrial) => {
      const dimensions = models[model];
      return dimensions === undefined
        ? Promise.reject(invalid("embedding_model", `there is no '${model}'`))
        : Promise.resolve(asked ?? dimensions);
    },
  };
}
