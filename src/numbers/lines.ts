/** One row as JSON: a 16,000-dimension embedding as numbers is 350 KB, its content may have 10 million characters. */
export const maxLineBytes = 64 * 1024 * 1024;

export interface Line {
  /** Without its line end. */
  bytes: Buffer;
  /** From 1. */
  number: number;
  /** Offset of the next line in the stream. */
  end: number;
}

/**
 * Lines of a stream. Holds one line and one chunk of the stream at a time.
 * @param tooLong the error for a line of more than 64 MB.
 */
export async function* readLines(
  chunks: AsyncIterable<Buffer>,
  tooLong: (number: number) => Error,
): AsyncGenerator<Line> {
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let number = 1;
  let end = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let lineEnd = chunk.indexOf(10); lineEnd !== -1; lineEnd = chunk.indexOf(10, start)) {
      const last = chunk.subarray(start, lineEnd);
      const bytes = pendingBytes === 0 ? last : Buffer.concat([...pending, last]);
      end += bytes.length + 1;
      yield { bytes, number, end };
      pending = [];
      pendingBytes = 0;
      number += 1;
      start = lineEnd + 1;
    }
    pending.push(chunk.subarray(start));
    pendingBytes += chunk.length - start;
    if (pendingBytes > maxLineBytes) throw tooLong(number);
  }
  if (pendingBytes > 0) yield { bytes: Buffer.concat(pending), number, end: end + pendingBytes };
}
