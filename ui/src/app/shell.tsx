import { useQuery } from "@tanstack/react-query";
import { Menu, X } from "lucide-react";
import { Suspense, useEffect, useRef, useState } from "react";
import { useTexts } from "../text/texts.js";
import { Navigate, Outlet, useLocation } from "react-router";
import { SignedIn, me } from "../api/me.js";
import { useIsHeld } from "../api/sessionEnd.js";
import { Account } from "./account.js";
import { Navigation } from "./navigation.js";
import { IconButton } from "../parts/button.js";
import { useRefuseDrops } from "../parts/drops.js";
import { Skeleton } from "../parts/notes.js";

/** What surrounds every page of somebody who is signed in. */
export function Shell() {
  const { t } = useTexts();
  const { pathname, search, hash } = useLocation();
  const { data: now } = useQuery(me);
  const isHeld = useIsHeld();
  const [data, setData] = useState(now);
  // What a page holds would be lost with its caller.
  if (now !== data && !isHeld) setData(now);
  useRefuseDrops();
  const [open, setOpen] = useState(false);
  const main = useRef<HTMLElement>(null);
  const shown = useRef(pathname);
  // A page that was opened by a link is read from its heading, as after a click in a site without scripts.
  useEffect(() => {
    if (shown.current === pathname) return;
    shown.current = pathname;
    setOpen(false);
    // A link to a part of a page: the part takes the focus itself.
    if (hash !== "") return;
    main.current?.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }, [pathname, hash]);
  if (data == null) return <Navigate replace to={`/sign-in?next=${encodeURIComponent(pathname + search + hash)}`} />;
  return (
    <SignedIn key={data.name} value={data}>
      <div className="min-h-dvh md:grid md:grid-cols-[15rem_1fr]">
        <a
          href="#main"
          className="sr-only focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-50 focus:rounded-md focus:bg-accent focus:p-2 focus:text-on-accent"
          onClick={(event) => {
            event.preventDefault();
            main.current?.focus();
          }}
        >
          {t("skip")}
        </a>
        <header className="flex items-center justify-between border-b border-line bg-surface px-3 py-2 md:hidden">
          <span className="font-semibold">{t("product")}</span>
          <IconButton
            icon={open ? <X aria-hidden className="size-5" /> : <Menu aria-hidden className="size-5" />}
            label={t(open ? "nav.close" : "nav.open")}
            aria-expanded={open}
            aria-controls="sidebar"
            onClick={() => {
              setOpen(!open);
            }}
          />
        </header>
        <aside
          aria-label={t("nav.sidebar")}
          id="sidebar"
          className={`${open ? "flex" : "hidden"} flex-col justify-between gap-4 border-line bg-surface p-3 max-md:border-b md:sticky md:top-0 md:flex md:h-dvh md:overflow-y-auto md:border-r`}
        >
          <div>
            <p className="mb-4 px-2.5 pt-1 font-semibold max-md:hidden">{t("product")}</p>
            <Navigation
              onGo={() => {
                setOpen(false);
              }}
            />
          </div>
          <Account />
        </aside>
        <main id="main" ref={main} tabIndex={-1} className="min-w-0 px-4 py-6 outline-none md:px-8">
          <div className="mx-auto max-w-6xl">
            <Suspense fallback={<Skeleton />}>
              <Outlet />
            </Suspense>
          </div>
        </main>
      </div>
    </SignedIn>
  );
}
