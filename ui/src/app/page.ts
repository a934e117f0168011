/** What the server has written into the page: see index.html. Empty: nothing. */
export function fromPage(name: "csp-nonce" | "base-path" | "signed-in"): string {
  return document.querySelector<HTMLMetaElement>(`meta[name="${name}"]`)?.content ?? "";
}

/** The page stays the same document when somebody signs in, so what the server wrote into it is no longer true. */
export function noteSignedIn(): void {
  document.querySelector('meta[name="signed-in"]')?.setAttribute("content", "yes");
}
