import { readStored, writeStored } from "./stored.js";

export const themes = ["system", "light", "dark"] as const;
export type Theme = (typeof themes)[number];

const key = "vector-store.theme";

/** The scheme that somebody chose in this browser. */
export function storedTheme(): Theme {
  const stored = readStored(key);
  return themes.find((theme) => theme === stored) ?? "system";
}

/** Shows the page in a scheme; `system` follows the browser. */
export function applyTheme(theme: Theme): void {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

export function chooseTheme(theme: Theme): void {
  writeStored(key, theme);
  applyTheme(theme);
}
