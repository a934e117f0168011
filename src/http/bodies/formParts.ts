/**
 * Counts the parts of a form as its bytes arrive. The parser silently skips a part whose Content-Disposition it cannot
 * read; only the number of parts shows that something was lost.
 */
export interface PartCounter {
  see(chunk: Buffer): void;
  /** Parts that have begun so far. */
  count(): number;
}

/** @param boundary as the Content-Type names it, without its leading dashes */
export function countParts(boundary: string): PartCounter {
  const delimiter = Buffer.from(`\r\n--${boundary}\r\n`);
  // The first delimiter has no line before it.
  let unread = Buffer.from("\r\n");
  let parts = 0;
  return {
    see: (chunk) => {
      const bytes = Buffer.concat([unread, chunk]);
      let from = 0;
      for (let at = bytes.indexOf(delimiter); at !== -1; at = bytes.indexOf(delimiter, from)) {
        parts += 1;
        // The line's end may begin the next delimiter.
        from = at + delimiter.length - 2;
      }
      unread = bytes.subarray(Math.max(from, bytes.length - delimiter.length + 1));
    },
    count: () => parts,
  };
}
