import { failureOf, noAnswer } from "../failure.js";

/** After this long without a byte sent, the connection counts as lost. */
const stalledMs = 60_000;
/** How long the service may take to answer once it has all bytes. */
const answerMs = 180_000;

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
    const wait = (ms: number, why: string) => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        reject(noAnswer(why));
        request.abort();
      }, ms);
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
      wait(stalledMs, "Nothing could be sent for a minute.");
      sent(loaded);
    });
    request.upload.addEventListener("load", () => {
      wait(answerMs, "No answer came within three minutes.");
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
    wait(stalledMs, "Nothing could be sent for a minute.");
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

/** Ends a request that is not answered in time. @throws Failure, as if no answer had come */
export async function within<T>(ms: number, signal: AbortSignal, ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const late = new AbortController();
  const timer = setTimeout(() => {
    late.abort();
  }, ms);
  try {
    return await ask(AbortSignal.any([signal, late.signal]));
  } catch (error) {
    throw late.signal.aborted && !signal.aborted ? noAnswer(`No answer came within ${ms / 1000} seconds.`) : error;
  } finally {
    clearTimeout(timer);
  }
}
