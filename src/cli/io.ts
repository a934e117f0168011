/** What a command may touch of the world around it: injected, so that tests need no process of their own. */
export interface Io {
  stdout: Output;
  stderr: Output;
  /** Only what reads it opens it. */
  stdin?(): AsyncIterable<Buffer>;
  /** Read when first needed: a broken .env must not keep `--help` from answering. */
  environment(): Environment;
}

export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** A command that cannot do what was asked. The message is a sentence for the person at the terminal, printed without a stack. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}

/**
 * Text from a server or a database, safe to show: a store's name must not move the cursor, colour the terminal or break a table's
 * line. Control and format characters (line breaks too) become one space.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu, " ");
}
