import { createInterface } from "node:readline";

/**
 * Asks on a terminal. Only "y" and "yes" mean yes; the end of the input (Ctrl-D) means no.
 * @param output not standard output, which may be captured
 */
export function confirm(
  question: string,
  input: NodeJS.ReadableStream,
  output: NodeJS.WritableStream,
): Promise<boolean> {
  const prompt = createInterface({ input, output });
  return new Promise((resolve) => {
    prompt.question(`${question} [y/N] `, (answer) => {
      resolve(/^y(es)?$/i.test(answer.trim()));
      prompt.close();
    });
    prompt.once("close", () => {
      resolve(false);
    });
  });
}
