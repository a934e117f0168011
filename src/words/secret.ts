import { inspect } from "node:util";

/**
 * A text that must not reach a log, a trace or an answer. JSON, templates and `console` show "[redacted]", even for an
 * object that holds it; only `reveal` gives the text.
 */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return redacted;
  }

  toJSON(): string {
    return redacted;
  }

  [inspect.custom](): string {
    return redacted;
  }
}

const redacted = "[redacted]";
