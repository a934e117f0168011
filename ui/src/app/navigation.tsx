import { NavLink } from "react-router";
import { useMe } from "../api/me.js";
import { useTexts } from "../text/texts.js";
import { isFor, places } from "./places.js";

/** @param onGo is told of each choice, also of the page that is shown */
export function Navigation({ onGo }: { onGo: () => void }) {
  const { t } = useTexts();
  const { may: rights } = useMe();
  return (
    <nav aria-label={t("nav.label")}>
      <ul className="flex flex-col gap-0.5">
        {places
          .filter((place) => isFor(place, rights))
          .map(({ to, text, icon: Icon }) => (
            <li key={to}>
              <NavLink
                to={to}
                onClick={onGo}
                className={({ isActive }) =>
                  `flex min-h-9 items-center gap-2.5 rounded-md px-2.5 py-1.5 text-sm ` +
                  (isActive ? "bg-accent-soft font-medium text-accent" : "text-ink hover:bg-hover")
                }
              >
                <Icon aria-hidden className="size-4" />
                {t(`nav.${text}`)}
              </NavLink>
            </li>
          ))}
      </ul>
    </nav>
  );
}
