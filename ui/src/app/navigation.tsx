import {
  Activity,
  ChartNoAxesColumn,
  Database,
  Files,
  KeyRound,
  LayoutDashboard,
  MonitorSmartphone,
  ScrollText,
  Users,
} from "lucide-react";
import type { ComponentType } from "react";
import { useTexts } from "../text/texts.js";
import { NavLink } from "react-router";
import { type Right, useMe } from "../api/me.js";

interface Place {
  to: string;
  text: "dashboard" | "stores" | "files" | "people" | "usage" | "keys" | "audit" | "health" | "sessions";
  icon: ComponentType<{ className?: string; "aria-hidden": true }>;
  /** Who may not has no use for the page. */
  may?: Right;
}

const places: readonly Place[] = [
  { to: "/dashboard", text: "dashboard", icon: LayoutDashboard, may: "admin:read" },
  { to: "/vector-stores", text: "stores", icon: Database },
  { to: "/files", text: "files", icon: Files, may: "store:read" },
  { to: "/people", text: "people", icon: Users, may: "admin:read" },
  { to: "/usage", text: "usage", icon: ChartNoAxesColumn },
  { to: "/keys", text: "keys", icon: KeyRound, may: "admin:read" },
  { to: "/audit", text: "audit", icon: ScrollText, may: "admin:read" },
  { to: "/health", text: "health", icon: Activity, may: "admin:read" },
  { to: "/sessions", text: "sessions", icon: MonitorSmartphone },
];

/** @param onGo is told of each choice, also of the page that is shown */
export function Navigation({ onGo }: { onGo: () => void }) {
  const { t } = useTexts();
  const { may: rights } = useMe();
  return (
    <nav aria-label={t("nav.label")}>
      <ul className="flex flex-col gap-0.5">
        {places
          .filter(({ may }) => may === undefined || rights.includes(may))
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
