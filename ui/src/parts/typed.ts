import { useEffect, useState } from "react";

const pauseMs = 250;

/** A text once the typing pauses, so that not each letter is asked for. */
export function usePaused(text: string): string {
  const [paused, setPaused] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => {
      setPaused(text);
    }, pauseMs);
    return () => {
      clearTimeout(timer);
    };
  }, [text]);
  return paused;
}

/**
 * A text that is used as it is typed, and written into the address once the typing pauses: an address that changed with
 * each letter would come too late, and take letters away. What the address says by itself (back, a link) replaces it.
 * @param shown as in the address
 */
export function useTyped(shown: string, send: (text: string) => void): [string, (text: string) => void] {
  const [typed, setTyped] = useState({ text: shown, seen: shown, isSent: true });
  const { text, seen, isSent } = typed;
  if (shown !== seen) setTyped({ text: isSent ? shown : text, seen: shown, isSent });
  useEffect(() => {
    if (isSent) return;
    const timer = setTimeout(() => {
      setTyped({ text, seen, isSent: true });
      send(text);
    }, pauseMs);
    return () => {
      clearTimeout(timer);
    };
  });
  return [
    text,
    (next) => {
      setTyped({ text: next, seen, isSent: false });
    },
  ];
}
