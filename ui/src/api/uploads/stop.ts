/** Ends uploads when their sender signs out. On its own, so that signing out need not load what uploads. */

const stops = new Set<() => void>();

/** @param stop ends every upload, and forgets it */
export function onStop(stop: () => void): void {
  stops.add(stop);
}

/** Nothing of one caller's files may go on in the name of the next one. */
export function stopUploads(): void {
  for (const stop of stops) stop();
}
