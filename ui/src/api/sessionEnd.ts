import { useEffect, useSyncExternalStore } from "react";
import { type Schemas, answered, api } from "./client.js";
import { Failure } from "./failure.js";

/** How the page learns that nobody is signed in any more, why that is, and what may hold it back. */

/** Why a session is over, as far as the page knows; `over`: only that it is. */
export type EndReason = "over" | "time" | "elsewhere" | "key" | "caller";

/** The codes of a 401 that speak of the session itself. Others may be LiteLLM's refusal of a model call. */
const codes: Readonly<Record<string, EndReason>> = {
  session_ended: "over",
  session_key_refused: "key",
  session_caller_changed: "caller",
};

const told = ({ code }: Failure): EndReason | null =>
  code !== null && Object.hasOwn(codes, code) ? (codes[code] ?? null) : null;

/** Clocks of browser and service differ a little. */
const clockMs = 60_000;

/** @param before who was signed in; null: nobody; undefined: the page has not asked yet */
export function reasonOf(
  failure: Failure,
  before: Pick<Schemas["Me"], "session"> | null | undefined,
  now: number,
): EndReason | null {
  const reason = told(failure);
  if (before === undefined || reason === "key" || reason === "caller") return reason;
  if (before === null) return null;
  const { session } = before;
  return session !== null && session.expires_at * 1000 <= now + clockMs ? "time" : "elsewhere";
}

let asking: Promise<Failure | null> | null = null;

/**
 * Why nobody is signed in, after a refusal; null: somebody is, and it was about something else. Which of them a 401
 * without a code of the session was only `/v1/me` knows, since an expired cookie is not sent.
 */
export async function endIn(error: unknown): Promise<Failure | null> {
  if (!(error instanceof Failure) || error.status !== 401) return null;
  if (told(error) !== null) return error;
  asking ??= answered(api.GET("/v1/me"))
    .then(
      () => null,
      (refused: unknown) => (refused instanceof Failure && refused.status === 401 ? refused : null),
    )
    .finally(() => {
      asking = null;
    });
  return asking;
}

let reason: EndReason | null = null;
let holders = 0;
const listeners = new Set<() => void>();

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

function publish(): void {
  for (const listener of listeners) listener();
}

/** The request that ended a session knows more than those after it. */
export function noteEnd(next: EndReason | null): void {
  if (next === null || reason === "key" || reason === "caller") return;
  reason = next;
  publish();
}

export function forgetEnd(): void {
  if (reason === null) return;
  reason = null;
  publish();
}

export const useEndReason = (): EndReason | null => useSyncExternalStore(subscribe, () => reason);

/** Keeps the page as it is although its session may end, for as long as something would be lost with it. */
export function useHoldPage(wanted: boolean): void {
  useEffect(() => {
    if (!wanted) return;
    holders += 1;
    publish();
    return () => {
      holders -= 1;
      publish();
    };
  }, [wanted]);
}

export const useIsHeld = (): boolean => useSyncExternalStore(subscribe, () => holders > 0);
