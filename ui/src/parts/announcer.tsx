import { X } from "lucide-react";
import { type ReactNode, createContext, useCallback, useContext, useMemo, useRef, useState } from "react";
import { Failure } from "../api/failure.js";
import { useTexts } from "../text/texts.js";
import { IconButton } from "./button.js";
import { ErrorNote } from "./notes.js";

type Say = (text: string) => void;
/** @param retry absent: trying again cannot help */
type Complain = (error: Error, retry?: () => void) => void;

const Announce = createContext<{ say: Say; complain: Complain }>({ say: () => undefined, complain: () => undefined });

/** Says that something was done: shown for a while, and read to who does not see it. */
export const useAnnounce = (): Say => useContext(Announce).say;

/**
 * Says that something has failed which has no place on the page to say it, such as a button in a row. It stays until it
 * is closed or tried again, because its request id is to be read and copied.
 */
export const useComplain = (): Complain => useContext(Announce).complain;

const shownMs = 6_000;

/** One polite live region for the whole page, and above it what has failed last. */
export function Announcer({ children }: { children: ReactNode }) {
  const { t } = useTexts();
  const [message, setMessage] = useState<{ id: number; text: string } | null>(null);
  const [failed, setFailed] = useState<{ id: number; error: Error; retry: (() => void) | undefined } | null>(null);
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
  const complain = useCallback<Complain>((error, retry) => {
    // The page asks to sign in again, and says why.
    if (error instanceof Failure && error.status === 401 && error.code?.startsWith("session_") === true) return;
    last.current += 1;
    setFailed({ id: last.current, error, retry });
  }, []);
  const close = () => {
    setFailed(null);
  };
  return (
    <Announce value={useMemo(() => ({ say, complain }), [say, complain])}>
      {children}
      <div
        data-announcer=""
        className="pointer-events-none fixed inset-x-0 bottom-4 z-[60] flex flex-col items-center gap-2 px-4"
      >
        {failed !== null && (
          <section
            key={failed.id}
            aria-label={t("error.title")}
            className="pointer-events-auto flex w-full max-w-xl items-start rounded-lg border border-line bg-raised p-2 shadow-lg"
          >
            <div className="min-w-0 flex-1">
              <ErrorNote
                error={failed.error}
                {...(failed.retry !== undefined && {
                  retry: () => {
                    close();
                    failed.retry?.();
                  },
                })}
              />
            </div>
            <IconButton icon={<X aria-hidden className="size-4" />} label={t("close")} onClick={close} />
          </section>
        )}
        <div aria-live="polite" role="status">
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
      </div>
    </Announce>
  );
}
