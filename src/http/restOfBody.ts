import type { Request, Response } from "express";

/** A client that is silent for this long has stopped sending. */
const silenceMs = 5000;
/** How long a client may continue sending a body that is already refused. */
const restMs = 30_000;

/**
 * Ends a refused request's answer after what the client still sends, which is read and dropped: ending the answer may
 * close the connection, and a client that is still sending would get a reset instead. After 5 s of silence, or 30 s in
 * all, the answer is ended and the request destroyed.
 */
export function endAfterBody(req: Request, res: Response): void {
  if (req.complete || req.destroyed) {
    res.end();
    return;
  }
  const end = () => {
    clearTimeout(silence);
    clearTimeout(limit);
    req.off("data", heard).off("end", end).off("close", end);
    res.end();
    if (!req.complete) req.destroy();
  };
  const heard = () => silence.refresh();
  const silence = setTimeout(end, silenceMs).unref();
  const limit = setTimeout(end, restMs).unref();
  req.on("data", heard).once("end", end).once("close", end).resume();
}
