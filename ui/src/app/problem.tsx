import { useContext } from "react";
import { useNavigate, useRouteError } from "react-router";
import { SignedIn } from "../api/me.js";
import { ErrorNote } from "../parts/notes.js";
import { useTexts } from "../text/texts.js";

/** As browsers word it that a part of the page did not come. */
const unloaded = /dynamically imported module|module script failed|preload CSS/i;

/** In place of a page that could not be shown. */
export function Problem() {
  const { t } = useTexts();
  const thrown = useRouteError();
  const navigate = useNavigate();
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  // Within the shell it is in its <main>.
  const Box = useContext(SignedIn) === null ? "main" : "div";
  return (
    <Box className="mx-auto max-w-2xl p-6">
      <title>{t("title", { page: t("problem.title") })}</title>
      <h1 className="mb-4 text-xl font-semibold">{t("problem.title")}</h1>
      <ErrorNote
        error={unloaded.test(error.message) ? new Error(t("problem.unloaded")) : error}
        retry={() => {
          void navigate(0);
        }}
      />
    </Box>
  );
}
