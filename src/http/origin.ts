import type { Request, Response } from "express";
import type { Origin } from "../words/caller.js";

/** Where a request came from, for the audit log. */
export function originOf(req: Request, res: Response): Origin {
  const requestId = res.getHeader("x-request-id");
  return { address: req.ip ?? null, requestId: typeof requestId === "string" ? requestId : null };
}
