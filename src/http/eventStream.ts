import type { Response } from "express";
import { once } from "node:events";
import { exactJson } from "../words/exactJson.js";

/** Interval of keep-alive comments: proxies often close a connection after a minute without data. */
const quietMs = 15_000;

export interface EventStream {
  /** Resolves when the client has room for more. */
  send(event: string, data: object): Promise<void>;
  end(): void;
}

/**
 * Begins an answer of server-sent events (WHATWG HTML, 9.2). From here on its status is 200, even if a later event is
 * an error.
 */
export function openEventStream(res: Response): EventStream {
  res.status(200).set({
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache, no-transform",
    // Otherwise nginx would buffer events.
    "x-accel-buffering": "no",
  });
  res.flushHeaders();
  const timer = setInterval(() => {
    res.write(": still working\n\n");
  }, quietMs);
  timer.unref();
  const stop = () => {
    clearInterval(timer);
  };
  res.once("close", stop);
  return {
    async send(event, data) {
      timer.refresh();
      // JSON has no line breaks here, so one line is enough.
      if (!res.write(`event: ${event}\ndata: ${exactJson(data)}\n\n`) && !res.destroyed) {
        const closed = new AbortController();
        const leave = () => {
          closed.abort();
        };
        res.once("close", leave);
        await once(res, "drain", { signal: closed.signal }).catch(() => undefined);
        res.off("close", leave);
      }
    },
    end() {
      stop();
      res.end("data: [DONE]\n\n");
    },
  };
}
