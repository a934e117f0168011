export interface BatchLimits {
  /** Texts per request. */
  readonly count: number;
  /** Estimated tokens per request. */
  readonly tokens: number;
  /** UTF-8 bytes of text per request. */
  readonly bytes: number;
}

/**
 * OpenAI allows 300,000 tokens per request. The estimate below is about twice too high for European prose. For text
 * without words (random letters) it may be twice too low; then the provider refuses, and the halves are sent.
 */
export const tokensPerRequest = 200_000;
/** Gateways in front of providers often limit a request to 10 MB. */
export const bytesPerRequest = 8_000_000;

/**
 * Estimated tokens of a text, from its UTF-8 bytes, at 2 bytes per token. English has about 4.3 and Chinese about 3
 * (cl100k_base).
 */
export const estimateTokens = (bytes: number) => Math.ceil(bytes / 2);

/**
 * Splits the texts into consecutive batches, in order and never empty, each within every limit. A text that alone
 * exceeds a limit becomes a batch by itself; the provider may accept it.
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
