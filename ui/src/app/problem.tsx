import { useTexts } from "../text/texts.js";
import { useNavigate, useRouteError } from "react-router";
import { ErrorNote } from "../parts/notes.js";

/** In place of a page that could not be shown. */
export function Problem() {
  const { t } = useTexts();
  const error = useRouteError();
  const navigate = useNavigate();
  return (
    <main className="mx-auto max-w-2xl p-6">
      <title>{t("title", { page: t("problem.title") })}</title>
      <h1 className="mb-4 text-xl font-semibold">{t("problem.title")}</h1>
      <ErrorNote
        error={error instanceof Error ? error : new Error(String(error))}
        retry={() => {
          void navigate(0);
        }}
      />
    </main>
  );
}
