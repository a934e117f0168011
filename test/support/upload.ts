import { type IncomingMessage, request } from "node:http";
import { testKey } from "./settings.js";

/** An NDJSON upload at connection level: the test controls what is sent when, and sees the answer so far. */
export interface Upload {
  /** Sends one chunk of the body; resolves once the connection accepts more, or is closed. */
  write(chunk: Buffer | string): Promise<void>;
  end(): void;
  /** Breaks the connection. */
  leave(): void;
  status: Promise<number>;
  /** Whether the answer is complete, or the connection broke. */
  over(): boolean;
  /** Resolves to the complete answer's lines; rejects if the connection breaks before. */
  lines: Promise<Line[]>;
  /** Resolves once this many lines have arrived. */
  received(count: number): Promise<void>;
}

export interface Line {
  object?: string;
  count?: number;
  duplicates?: number;
  created?: number;
  warning?: string;
  error?: { message: string; type: string; param: string | null; code: string | null };
}

export function openUpload(url: string, path: string, options: { paused?: Promise<void> } = {}): Upload {
  const sent = request(url + path, {
    method: "POST",
    agent: false,
    headers: { authorization: `Bearer ${testKey}`, "content-type": "application/x-ndjson" },
  });
  sent.setNoDelay(true);
  let text = "";
  let over = false;
  let wake: () => void = () => undefined;
  let failed: (error: Error) => void = () => undefined;
  let answered: (response: IncomingMessage) => void = () => undefined;
  const response = new Promise<IncomingMessage>((resolve, reject) => {
    answered = resolve;
    failed = reject;
  });
  sent.on("response", answered).on("error", (error) => {
    over = true;
    failed(error);
    wake();
  });
  const lines = response.then(async (answer) => {
    await options.paused;
    try {
      for await (const chunk of answer.setEncoding("utf8") as AsyncIterable<string>) {
        text += chunk;
        wake();
      }
    } finally {
      over = true;
      wake();
    }
    return parseLines(text);
  });
  const status = response.then((answer) => answer.statusCode ?? 0);
  // Tests await only one of the promises; the other may fail unnoticed.
  lines.catch(() => undefined);
  status.catch(() => undefined);
  return {
    write: (chunk) =>
      new Promise((resolve) => {
        if (over || sent.destroyed) resolve();
        else if (sent.write(chunk)) setImmediate(resolve);
        else sent.once("drain", resolve).once("close", resolve);
      }),
    end: () => void sent.end(),
    leave: () => void sent.destroy(),
    status,
    over: () => over,
    lines,
    received: async (count) => {
      while (parseLines(text).length < count) {
        if (over) throw new Error(`the answer ended after: ${text}`);
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}

function parseLines(text: string): Line[] {
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  const parsed = whole
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Line);
  // A non-streamed answer, such as a refusal, is one JSON object without a line end.
  return parsed.length === 0 && text !== "" ? [JSON.parse(text) as Line] : parsed;
}

/** Sends the whole body and reads the whole answer. */
export async function upload(url: string, path: string, chunks: Iterable<Buffer | string>) {
  const opened = openUpload(url, path);
  for (const chunk of chunks) await opened.write(chunk);
  opened.end();
  return { status: await opened.status, lines: await opened.lines };
}
