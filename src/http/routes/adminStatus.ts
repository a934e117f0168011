import { examine } from "../../core/status/doctor/examine.js";
import { readOverview } from "../../core/status/overview.js";
import { forbidden } from "../../words/errors.js";
import { isAllowed } from "../permissions.js";
import { route } from "../route.js";
import {
  doctorAnswer,
  doctorQuery,
  presentFindings,
  presentOverview,
  presentSettings,
  settingsAnswer,
  statusAnswer,
} from "../wire/adminStatus.js";

const tag = "Administration";

/** How the service is, for administrators. */
export const adminStatusRoutes = [
  route({
    id: "getStatus",
    method: "get",
    path: "/admin/status",
    may: "admin:read",
    tag,
    summary: "What the service holds and does, and how database and proxy are",
    description: "Answers within about two seconds, also while the database or the proxy does not.",
    answer: statusAnswer,
    handle: async ({ deps }) =>
      presentOverview(await readOverview(deps), { now: deps.now(), concurrency: deps.config.files.concurrency }),
  }),
  route({
    id: "listSettings",
    method: "get",
    path: "/admin/settings",
    may: "admin:read",
    tag,
    summary: "List the settings of this process, without secrets",
    description: "All settings of `.env.example` by their main names. Of a secret, only whether it is set.",
    answer: settingsAnswer,
    handle: ({ deps }) => presentSettings(deps.config.shown),
  }),
  route({
    id: "runDoctor",
    method: "get",
    path: "/admin/doctor",
    may: "admin:read",
    tag,
    summary: "Check settings, database, stored data, proxy and models",
    description:
      "What `vector-store doctor` says, from inside the server. Changes nothing. With `probe=true`, for which a provider may charge a " +
      "fraction of a cent, the default embedding model is tried; this needs the right to change something.",
    query: doctorQuery,
    answer: doctorAnswer,
    handle: async ({ deps, caller, query, signal }) => {
      const embed = query.probe === "true";
      if (embed && !isAllowed(caller, "admin:write")) throw forbidden("probe: this key may not spend on a test.");
      return presentFindings(await examine(deps, { embed, signal }));
    },
  }),
];
