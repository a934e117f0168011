/** What this browser remembers of how somebody likes the page. Browsers may forbid it; then nothing is remembered. */

export function readStored(name: string): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

export function writeStored(name: string, value: string): void {
  try {
    localStorage.setItem(name, value);
  } catch {
    // Only until the page is left.
  }
}
