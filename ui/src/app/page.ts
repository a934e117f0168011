/** What the server has written into the page: see index.html. Empty: nothing. */
export function fromPage(name: "csp-nonce" | "base-path" | "signed-in"): string {
  return document.querySelector<HTMLMetaElement>(`meta[name="${name}"]`)?.content ?? "";
}
