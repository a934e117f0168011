/** A command's access to the outside, injected so that tests need no separate process. */
export interface Io {
  stdout: Output;
  stderr: Output;
  /** Opened only by commands that read it. */
  stdin?(): AsyncIterable<Buffer>;
  /** Asks a yes-or-no question; absent where nobody can answer: not on a terminal. */
  confirm?(question: string): Promise<boolean>;
  /** Read when first needed: a broken .env must not keep `--help` from answering. */
  environment(): Environment;
}

export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** The width of a terminal in cells. Some report none, or 0. */
export const widthOf = ({ columns }: Output, usual: number) => (columns === undefined || columns < 1 ? usual : columns);

export type Environment = Readonly<Record<string, string | undefined>>;

/** A command cannot do what was asked. The message is a sentence for the user, printed without a stack. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}
