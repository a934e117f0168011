import { useEffect, useEffectEvent, useState } from "react";

/** Usual answers come sooner. */
const lateMs = 8_000;
/** Whoever is still there asks again rather than waiting on. */
export const mostSeconds = 90;

/**
 * How long an answer is waited for.
 * @param awaited what is waited for: the time counts from its last change; null: nothing
 * @param giveUp called once it has been waited for too long
 * @returns whether it takes longer than usual
 */
export function usePatience(awaited: string | null, giveUp: () => void): boolean {
  const [late, setLate] = useState<string | null>(null);
  const onOver = useEffectEvent(giveUp);
  useEffect(() => {
    if (awaited === null) return;
    const soon = setTimeout(() => {
      setLate(awaited);
    }, lateMs);
    const over = setTimeout(() => {
      onOver();
    }, mostSeconds * 1000);
    return () => {
      clearTimeout(soon);
      clearTimeout(over);
      setLate(null);
    };
  }, [awaited]);
  return awaited !== null && late === awaited;
}
