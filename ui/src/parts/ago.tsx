import { useSyncExternalStore } from "react";
import { useTexts } from "../text/texts.js";
import { dateTime, fromNow } from "./format.js";

/** How often ages on the screen are told again. */
const tickMs = 15_000;

const listeners = new Set<() => void>();
let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;

function tick(): void {
  if (document.hidden) return;
  now = Date.now();
  for (const listener of listeners) listener();
}

/** One clock for all ages of a page. It stands still in a window that nobody sees, and is right once it is seen. */
function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) {
    timer = setInterval(tick, tickMs);
    document.addEventListener("visibilitychange", tick);
  }
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    document.removeEventListener("visibilitychange", tick);
  };
}

const clock = () => now;

/** `3 hours ago`, `in 2 days`, for as long as it is shown. @param at Unix time in seconds */
export function Ago({ at }: { at: number }) {
  useTexts();
  useSyncExternalStore(subscribe, clock);
  return (
    <time dateTime={new Date(at * 1000).toISOString()} title={dateTime(at)}>
      {fromNow(at)}
    </time>
  );
}
