/**
 * What tabs of one browser tell each other: they share the cookie of the session, so that what one signs in or out
 * holds for all of them. Nothing that is said is secret.
 */

/** `changing`: another caller may come soon; `changed`: ask who is signed in. */
export type TabNews = "changing" | "changed";

const channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("vector-store.session");

export function tellTabs(news: TabNews): void {
  channel?.postMessage(news);
}

export function onTabNews(listener: (news: TabNews) => void): void {
  channel?.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
    if (data === "changing" || data === "changed") listener(data);
  });
}
