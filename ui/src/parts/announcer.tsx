import { X } from "lucide-react";
import { type ReactNode, createContext, useCallback, useContext, useRef, useState } from "react";
import { useTexts } from "../text/texts.js";
import { IconButton } from "./button.js";

type Say = (text: string) => void;
const Announce = createContext<Say>(() => undefined);

/** Says that something was done: shown for a while, and read to who does not see it. */
export const useAnnounce = (): Say => useContext(Announce);

const shownMs = 6_000;

/** One polite live region for the whole page. */
export function Announcer({ children }: { children: ReactNode }) {
  const { t } = useTexts();
  const [message, setMessage] = useState<{ id: number; text: string } | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const last = useRef(0);
  const say = useCallback((text: string) => {
    clearTimeout(timer.current);
    last.current += 1;
    setMessage({ id: last.current, text });
    timer.current = setTimeout(() => {
      setMessage(null);
    }, shownMs);
  }, []);
  return (
    <Announce value={say}>
      {children}
      <div
        aria-live="polite"
        role="status"
        className="pointer-events-none fixed inset-x-0 bottom-4 z-[60] flex justify-center px-4"
      >
        {message !== null && (
          <div
            key={message.id}
            className="pointer-events-auto flex max-w-xl items-center gap-2 rounded-lg bg-ink py-1.5 pr-1.5 pl-4 text-sm text-canvas shadow-lg"
          >
            <span className="foreign">{message.text}</span>
            <IconButton
              className="text-canvas hover:bg-transparent!"
              icon={<X aria-hidden className="size-4" />}
              label={t("close")}
              onClick={() => {
                setMessage(null);
              }}
            />
          </div>
        )}
      </div>
    </Announce>
  );
}
