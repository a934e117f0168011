import { createInterface } from "node:readline/promises";

/**
 * Asks on a terminal. Only "y" and "yes" mean yes; the end of the input (Ctrl-D) means no.
 * @param output not standard output, which may be captured
 */
export async function confirm(
  question: string,
  input: NodeJS.ReadableStream,
  output: NodeJS.WritableStream,
): Promise<boolean> {
  const prompt = createInterface({ input, output });
  const ended = new Promise<string>((resolve) => {
    prompt.once("close", () => {
      resolve("");
    });
  });
  try {
    const answer = await Promise.race([prompt.question(`${question} [y/N] `), ended]);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    prompt.close();
  }
}
