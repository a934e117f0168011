import OpenAI from "openai";
import type { ProviderCall } from "./provider.js";

/**
 * These tests speak to a LiteLLM proxy that runs beside a vector store server; `.ci/run` starts both and sets the variables.
 * LITELLM_STORES holds the ids of the stores that were made through the proxy and then written into its vector_store_registry.
 */
function given(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === "") throw new Error(`${name} is not set; .ci/run shows what these tests need`);
  return value;
}

export type StoreName =
  | "plain"
  | "version"
  | "errors"
  | "chatPlain"
  | "chatVersion"
  | "plainLife"
  | "versionLife"
  | "documents"
  | "reranked"
  | "wrongKey"
  | "unknown"
  | "adopted";

/** The model that `.ci/litellm.config.yaml` serves from all-MiniLM-L6-v2. */
export const embeddingModel = "all-minilm-l6-v2";
export const dimensions = 384;

export const storeIds = JSON.parse(given("LITELLM_STORES")) as Record<StoreName, string>;
export const databaseUrl = given("SIDECAR_DATABASE_URL");
export const sidecarKey = given("SIDECAR_KEY");

/** The proxy as its users see it: the SDK with another base URL. No retries, so that every answer is the first one. */
export const proxy = new OpenAI({ baseURL: `${given("LITELLM_URL")}/v1`, apiKey: given("LITELLM_KEY"), maxRetries: 0 });
/** The server under test, asked directly, as migration scripts do. */
export const sidecar = new OpenAI({ baseURL: `${given("SIDECAR_URL")}/v1`, apiKey: sidecarKey, maxRetries: 0 });

/** The calls of models of provider.ts whose last message has this text. */
export async function providerCalls(text: string): Promise<ProviderCall[]> {
  const calls = (await (await fetch(`${given("PROVIDER_URL")}/calls`)).json()) as ProviderCall[];
  return calls.filter(({ said }) => said.includes(text));
}

/** Asks until the answer is yes. */
export async function until(question: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await question())) {
    if (Date.now() > deadline) throw new Error("waited for half a minute in vain");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** What a search answers beyond the SDK's own type. */
export interface Page {
  object: string;
  search_query: string[];
  reranked?: boolean;
  data: {
    score: number;
    vector_score?: number;
    attributes: Record<string, unknown> | null;
    content: { type: "text"; text: string }[];
  }[];
  has_more: boolean;
}

export const texts = (page: Page) => page.data.map((item) => item.content.map((part) => part.text).join("|"));

/** A search through the proxy with any body, also one that the SDK's types forbid. */
export const search = (storeId: string, body: object) => proxy.post<Page>(`/vector_stores/${storeId}/search`, { body });

interface Refusal {
  status: number;
  message: string;
  code: string | null | undefined;
  param: string | null | undefined;
}

/** What a call fails with; one that succeeds fails the test. */
export async function failure(call: Promise<unknown>): Promise<Refusal> {
  const error: unknown = await call.then(
    (value) => {
      throw new Error(`expected a failure, got ${JSON.stringify(value)}`);
    },
    (reason: unknown) => reason,
  );
  if (!(error instanceof OpenAI.APIError) || typeof error.status !== "number") throw error;
  return { status: error.status, message: error.message, code: error.code, param: error.param };
}

/** Sentences about different things, each with a question that shares its meaning and hardly a word with it. */
export const facts = [
  {
    text: "Our return policy allows returns within 30 days of purchase.",
    question: "How long do I have to send an item back and get my money?",
    metadata: { topic: "returns", year: 2023, public: true },
  },
  {
    text: "Shipping is free for orders over $50.",
    question: "When do I not have to pay for delivery?",
    metadata: { topic: "shipping", year: 2024, public: true },
  },
  {
    text: "The warehouse is closed on Sundays and public holidays.",
    question: "On which days can nobody pick up goods at the depot?",
    metadata: { topic: "opening", year: 2024, public: true },
  },
  {
    text: "Passwords must be changed every ninety days.",
    question: "How often do employees need new login credentials?",
    metadata: { topic: "security", year: 2022, public: false },
  },
  {
    text: "The office cat is called Whiskers and sleeps on the printer.",
    question: "What is the name of the pet at work?",
    metadata: { topic: "office", year: 2025, public: false },
  },
  {
    text: "Solar panels on the roof produce a third of our electricity.",
    question: "Where does the company get renewable power from?",
    metadata: { topic: "energy", year: 2025, public: true },
  },
] as const;

/**
 * Puts the facts into a store by batch: half of them as text only, which the server embeds through the proxy, half with embeddings
 * that the proxy made before. Their ids are given, so that several test files can do this to one store.
 */
export async function fill(storeId: string): Promise<void> {
  const bought = facts.filter((_, i) => i % 2 === 1);
  const made = await embed(bought.map((fact) => fact.text));
  await add(storeId, (i) => (i % 2 === 1 ? made[(i - 1) / 2] : undefined));
}

/** The same with embeddings that belong to the fact before: whoever finds the right fact first has read the texts. */
export async function fillMisplaced(storeId: string): Promise<void> {
  const made = await embed(facts.map((fact) => fact.text));
  await add(storeId, (i) => made.at(i - 1));
}

async function embed(input: string[]): Promise<number[][]> {
  return (await proxy.embeddings.create({ model: embeddingModel, input })).data.map(({ embedding }) => embedding);
}

async function add(storeId: string, embeddingOf: (i: number) => number[] | undefined): Promise<void> {
  const embeddings = facts.map(({ text, metadata }, i) => {
    const embedding = embeddingOf(i);
    return { id: `${storeId}:${i}`, content: text, metadata, ...(embedding === undefined ? {} : { embedding }) };
  });
  await sidecar.post(`/vector_stores/${storeId}/embeddings/batch`, { body: { embeddings, return: "count" } });
}
