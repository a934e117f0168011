export interface BatchLimits {
  /** Texts per request. */
  readonly count: number;
  /** Estimated tokens per request. */
  readonly tokens: number;
  /** UTF-8 bytes of text per request. */
  readonly bytes: number;
}

/**
 * OpenAI allows 300,000 tokens per request. The estimate below is about twice the truth for European prose and may be half
 * of it for text without any words (random letters), where the provider's refusal leads to halving.
 */
export const tokensPerRequest = 200_000;
/** Gateways in front of providers commonly stop at 10 MB. */
export const bytesPerRequest = 8_000_000;

/** Tokens of a text from its UTF-8 bytes: 2 bytes each, where English has about 4.3 and Chinese about 3 (cl100k_base). */
export const estimateTokens = (bytes: number) => Math.ceil(bytes / 2);

/**
 * The texts as consecutive batches, none empty, each within every limit; a single text beyond a limit is a batch of its
 * own, for the provider to judge. Joined again they are the texts in their order.
 */
export function splitIntoBatches(texts: readonly string[], limits: BatchLimits): string[][] {
  const batches: string[][] = [];
  let batch: string[] = [];
  let tokens = 0;
  let bytes = 0;
  for (const text of texts) {
    const moreBytes = Buffer.byteLength(text);
    const moreTokens = estimateTokens(moreBytes);
    const full =
      batch.length >= limits.count || tokens + moreTokens > limits.tokens || bytes + moreBytes > limits.bytes;
    if (batch.length > 0 && full) {
      batches.push(batch);
      batch = [];
      tokens = 0;
      bytes = 0;
    }
    batch.push(text);
    tokens += moreTokens;
    bytes += moreBytes;
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}
