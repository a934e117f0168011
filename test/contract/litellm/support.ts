import OpenAI from "openai";
import type { ProviderCall } from "./provider.js";

/**
 * These tests use a LiteLLM proxy and a vector store server; `.ci/run` starts both and sets the variables.
 * LITELLM_STORES holds the ids of the stores that were created through the proxy and then added to its
 * vector_store_registry.
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

/**
 * The proxy as its users see it: the SDK with another base URL. Without retries, so that every answer is the first one.
 */
export const proxy = new OpenAI({ baseURL: `${given("LITELLM_URL")}/v1`, apiKey: given("LITELLM_KEY"), maxRetries: 0 });
/** The server under test without the proxy, as migration scripts use it. */
export const sidecar = new OpenAI({ baseURL: `${given("SIDECAR_URL")}/v1`, apiKey: sidecarKey, maxRetries: 0 });

export const providerUrl = given("PROVIDER_URL");
/** The model calls to provider.ts whose last message has this text. */
export async function providerCalls(text: string): Promise<ProviderCall[]> {
  const calls = (await (await fetch(`${providerUrl}/calls`)).json()) as ProviderCall[];
  return calls.filter(({ said }) => said.includes(text));
}

/** Waits until the condition holds. */
export async function until(question: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await question())) {
    if (Date.now() > deadline) throw new Error("the condition did not hold within 30 s");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The fields of a search's answer that the SDK's type lacks. */
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

/** A search through the proxy with any body, even one that the SDK's types forbid. */
export const search = (storeId: string, body: object) => proxy.post<Page>(`/vector_stores/${storeId}/search`, { body });

interface Refusal {
  status: number;
  message: string;
  code: string | null | undefined;
  param: string | null | undefined;
}

/** The error of a call; a call that succeeds fails the test. */
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

/** Sentences about different things, each with a question of the same meaning in other words. */
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
 * Inserts the facts as a batch: half of them as text, which the server embeds through the proxy, half with embeddings
 * from the proxy. Their ids are fixed, so that several test files can do this to one store.
 */
export async function fill(storeId: string): Promise<void> {
  const bought = facts.filter((_, i) => i % 2 === 1);
  const made = await embed(bought.map((fact) => fact.text));
  await add(storeId, (i) => (i % 2 === 1 ? made[(i - 1) / 2] : undefined));
}

/**
 * The same with each embedding moved to the next fact: only a model that reads the texts finds the right fact first.
 */
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
