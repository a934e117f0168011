import { useSyncExternalStore } from "react";
import type { Failure } from "../failure.js";

/** What signing in and out means for uploads. On its own, so that neither needs to load what uploads. */

interface Uploads {
  /** Ends every upload, and forgets it. */
  stop: () => void;
  /** Stops what is not sent yet, so that it can go on. @returns how many files that is */
  pause: () => number;
  goOn: () => void;
  /** How many files would be lost. */
  unsent: () => number;
}

let uploads: Uploads | null = null;
let sender: string | null = null;
let paused = 0;
const pausedListeners = new Set<() => void>();
const endListeners = new Set<(why: Failure) => void>();

export function registerUploads(queue: Uploads): void {
  uploads = queue;
}

function setPaused(count: number): void {
  paused = count;
  for (const listener of pausedListeners) listener();
}

export function stopUploads(): void {
  uploads?.stop();
  setPaused(0);
}

/** The session has ended: nothing can be sent until the same person has signed in again. */
export function pauseUploads(): void {
  setPaused(uploads?.pause() ?? 0);
}

export const unsentUploads = (): number => uploads?.unsent() ?? 0;

/** How many uploads wait for their sender to sign in again. */
export const usePausedUploads = (): number =>
  useSyncExternalStore(
    (listener) => {
      pausedListeners.add(listener);
      return () => pausedListeners.delete(listener);
    },
    () => paused,
  );

/** Nothing of one caller's files may go on in the name of the next one. @param name of whoever is signed in */
export function uploadAs(name: string): void {
  if (sender !== null && sender !== name) stopUploads();
  else if (paused > 0) uploads?.goOn();
  sender = name;
  setPaused(0);
}

/** Hears that an upload was refused because the session has ended. */
export function onSessionEnd(listener: (why: Failure) => void): void {
  endListeners.add(listener);
}

export function sessionEnded(why: Failure): void {
  pauseUploads();
  for (const listener of endListeners) listener(why);
}
