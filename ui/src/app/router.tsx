import type { QueryClient } from "@tanstack/react-query";
import { type RouteObject, createBrowserRouter, redirect } from "react-router";
import { me } from "../api/me.js";
import { SignIn } from "../pages/signIn.js";
import { Skeleton } from "../parts/notes.js";
import { Allowed } from "./allowed.js";
import { fromPage } from "./page.js";
import { Problem } from "./problem.js";
import { Shell } from "./shell.js";

/** Where the signed-in caller begins, or the address that asked to sign in first. */
const signInPath = "/sign-in";

/** The pages. Each is a chunk of its own, which is loaded when it is opened. */
export function createRouter(queries: QueryClient) {
  const pages: RouteObject[] = [
    { index: true, lazy: () => import("../pages/start.js") },
    { path: "dashboard", lazy: () => import("../pages/dashboard/dashboard.js") },
    { path: "people", lazy: () => import("../pages/people/list.js") },
    { path: "people/users/:id", lazy: () => import("../pages/people/user.js") },
    { path: "people/teams/:id", lazy: () => import("../pages/people/team.js") },
    { path: "people/owners/:subject", lazy: () => import("../pages/people/owner.js") },
    { path: "files", lazy: () => import("../pages/files/list.js") },
    { path: "usage", lazy: () => import("../pages/usage/list.js") },
    { path: "keys", lazy: () => import("../pages/keys/list.js") },
    { path: "keys/litellm", lazy: () => import("../pages/keys/litellm/list.js") },
    { path: "audit", lazy: () => import("../pages/audit/list.js") },
    { path: "health", lazy: () => import("../pages/health/health.js") },
    { path: "sessions", lazy: () => import("../pages/sessions/list.js") },
    { path: "vector-stores", lazy: () => import("../pages/stores/list.js") },
    {
      path: "vector-stores/:id",
      lazy: () => import("../pages/store/layout.js"),
      children: [
        { index: true, lazy: () => import("../pages/store/overview.js") },
        { path: "files", lazy: () => import("../pages/store/files.js") },
        { path: "files/:fileId", lazy: () => import("../pages/store/file.js") },
        { path: "rows", lazy: () => import("../pages/store/rows.js") },
        { path: "search", lazy: () => import("../pages/store/search.js") },
        { path: "ask", lazy: () => import("../pages/store/ask.js") },
        { path: "permissions", lazy: () => import("../pages/store/permissions.js") },
        { path: "settings", lazy: () => import("../pages/store/settings.js") },
      ],
    },
    { path: "*", lazy: () => import("../pages/missing.js") },
  ];
  return createBrowserRouter(
    [
      { path: signInPath, element: <SignIn />, errorElement: <Problem /> },
      {
        path: "/",
        element: <Shell />,
        errorElement: <Problem />,
        hydrateFallbackElement: <Skeleton className="p-8" />,
        loader: async ({ request }) => {
          if ((await queries.query({ ...me, staleTime: "static" })) !== null) return null;
          const { pathname, search } = new URL(request.url);
          // The router's request lacks the part of the page that a link leads to.
          const within = pathname.slice(fromPage("base-path").length) + search + window.location.hash;
          return redirect(within === "/" ? signInPath : `${signInPath}?next=${encodeURIComponent(within)}`);
        },
        shouldRevalidate: () => false,
        children: [{ element: <Allowed />, errorElement: <Problem />, children: pages }],
      },
    ],
    { basename: fromPage("base-path") || "/" },
  );
}
