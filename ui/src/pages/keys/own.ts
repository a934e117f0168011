import { useMe } from "../../api/me.js";

/** What a dialog says of a key, and of the session if that was made with this very key. */
export function useAbout(id: string, about: string, ifOwn: string): string {
  const { key_id: own, session } = useMe();
  return session !== null && own === id ? `${about} ${ifOwn}` : about;
}
