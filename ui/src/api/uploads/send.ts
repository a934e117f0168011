import { Failure, failureOf, noAnswer } from "../failure.js";

/** After this long without a byte sent, the connection counts as lost. */
const stalledMs = 60_000;

/**
 * Sends a form, and tells how many bytes have left: `fetch` cannot.
 * @throws Failure; DOMException `AbortError` once the signal is set
 */
export function sendForm(
  path: string,
  form: FormData,
  { signal, sent }: { signal: AbortSignal; sent: (bytes: number) => void },
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const request = new XMLHttpRequest();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const lost = (why: string) => {
      reject(noAnswer(why));
      request.abort();
    };
    const wait = () => {
      clearTimeout(timer);
      timer = setTimeout(lost, stalledMs, "Nothing could be sent for a minute.");
    };
    const abort = () => {
      reject(signal.reason as Error);
      request.abort();
    };
    signal.addEventListener("abort", abort, { once: true });
    request.addEventListener("loadend", () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
    });
    request.upload.addEventListener("progress", ({ loaded }) => {
      wait();
      sent(loaded);
    });
    // All is sent; how long the service works on it is its own affair.
    request.upload.addEventListener("load", () => {
      clearTimeout(timer);
    });
    request.addEventListener("error", () => {
      reject(noAnswer("The connection was lost."));
    });
    request.addEventListener("load", () => {
      const body = parsed(request.responseText);
      if (request.status >= 200 && request.status < 300) resolve(body);
      else reject(failureOf(responseOf(request), body));
    });
    request.open("POST", path);
    wait();
    request.send(form);
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function responseOf(request: XMLHttpRequest): Response {
  const lines = request.getAllResponseHeaders().trim().split(/\r?\n/);
  const headers = lines.flatMap((line): [string, string][] => {
    const colon = line.indexOf(":");
    return colon > 0 ? [[line.slice(0, colon), line.slice(colon + 1).trim()]] : [];
  });
  return new Response(null, { status: request.status, statusText: request.statusText, headers });
}

/** Whether the same request may go well later: the connection was lost, or the service cannot do it just now. */
export const isPassing = (error: unknown): error is Failure =>
  error instanceof Failure && (error.status === 0 || error.status >= 500 || [408, 425, 429].includes(error.status));

const tries = 10;

/**
 * Does something until it goes well, with longer and longer pauses, which end when the browser is online again.
 * @param pausing is told why before each pause
 */
export async function persist<T>(
  work: () => Promise<T>,
  { signal, pausing }: { signal: AbortSignal; pausing: (why: Failure) => void },
): Promise<T> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await work();
    } catch (error) {
      if (!isPassing(error) || tried >= tries) throw error;
      pausing(error);
      const ms = Math.max(Math.min(30_000, 500 * 2 ** tried), (error.retryAfterSeconds ?? 0) * 1000);
      await pause(ms, signal);
    }
  }
}

export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (settle: () => void) => () => {
      clearTimeout(timer);
      window.removeEventListener("online", go);
      signal.removeEventListener("abort", stop);
      settle();
    };
    const go = end(resolve);
    const stop = end(() => {
      reject(signal.reason as Error);
    });
    const timer = setTimeout(go, ms);
    window.addEventListener("online", go);
    signal.addEventListener("abort", stop);
    if (signal.aborted) stop();
  });
}
