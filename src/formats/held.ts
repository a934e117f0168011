import { DocumentError } from "../words/document.js";

/** Counts a text that a reader holds, and returns it. @throws DocumentError when it holds more than its limit */
export type Hold = (text: string) => string;

/** For texts that are passed on at once. */
export const uncounted: Hold = (text) => text;

/** Limits on the text held of one file, in characters: at least `least`, more for a large file. */
const limits = { least: 10 * 2 ** 20, ratio: 20 };

/** In characters, for each text: an empty string takes memory too. */
const perText = 32;

/**
 * Counts texts that a reader collects before it passes any on. The blocks of a document are counted one by one as it
 * yields them, which is too late for these: a file of 0.4 MB can unfold to 100 MB, and one allocation of that size ends
 * the whole process, whatever the heap limit of the thread.
 * @param size of the file, in bytes
 * @param each counts for each text besides its characters; 0 if another limit holds for their number
 */
export function holder(size: number, each = perText): Hold {
  const most = Math.max(limits.least, limits.ratio * size);
  let held = 0;
  return (text) => {
    held += text.length + each;
    if (held > most) {
      const [limit, bytes] = [most, size].map((number) => number.toLocaleString("en"));
      throw new DocumentError(
        "invalid_file",
        `The document has a part with more text than the limit of ${limit} characters for a file of ${bytes} bytes. ` +
          "Split it into several.",
      );
    }
    return text;
  };
}
