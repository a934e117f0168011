import type { Response } from "express";

/** In characters. Proxies refuse answers whose headers together are larger than 4 KB (nginx's default). */
const longest = { message: 400, header: 1500 };

export interface Warnings {
  /** Says what was not done as asked. */
  warn: (message: string) => void;
  /** Warnings that came after the answer had begun, as one text; undefined if there are none. */
  missed: () => string | undefined;
}

/**
 * The warnings of one request. The answer carries all messages in one header, `x-vector-store-warning`, separated by
 * "; ". A handler that streams its answer says at its end what came too late for the header.
 */
export function warningsOf(res: Response): Warnings {
  const messages = new Set<string>();
  const late = new Set<string>();
  return {
    warn: (message) => {
      const text = shorten(asHeader(message));
      if (res.headersSent && !messages.has(text)) late.add(text);
      if (res.headersSent) return;
      messages.add(text);
      res.set("x-vector-store-warning", join([...messages]));
    },
    missed: () => (late.size === 0 ? undefined : join([...late])),
  };
}

/** Headers are one line of ASCII: every other character becomes its escape, as in `caf\u00e9`. */
function asHeader(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

const shorten = (text: string) =>
  text.length <= longest.message ? text : `${text.slice(0, longest.message - 3).replace(/\\u?[0-9a-f]{0,3}$/, "")}...`;

/** As many messages as fit, and the number of those left out. */
function join(messages: readonly string[]): string {
  let text = "";
  for (const [i, message] of messages.entries()) {
    const longer = text === "" ? message : `${text}; ${message}`;
    if (longer.length > longest.header) return `${text}; and ${messages.length - i} more`;
    text = longer;
  }
  return text;
}
