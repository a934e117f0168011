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
import type { Right } from "../api/me.js";

export interface Place {
  to: string;
  text: "dashboard" | "stores" | "files" | "people" | "usage" | "keys" | "audit" | "health" | "sessions";
  icon: ComponentType<{ className?: string; "aria-hidden": true }>;
  /** Who may not has no use for the page: it is not in the navigation, and its address asks for nothing. */
  may?: Right;
}

export const places: readonly Place[] = [
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

export const isFor = ({ may }: Place, rights: readonly Right[]): boolean => may === undefined || rights.includes(may);

/** The place that a path within the page belongs to. */
export const placeOf = (path: string): Place | undefined =>
  places.find(({ to }) => path === to || path.startsWith(`${to}/`));
