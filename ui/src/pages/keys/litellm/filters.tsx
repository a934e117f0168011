import type { SubmitEvent } from "react";
import { Button } from "../../../parts/button.js";
import { useDraft } from "../../../parts/draft.js";
import { TextField } from "../../../parts/fields.js";
import { useTexts } from "../../../text/texts.js";
import type { usualKeys } from "./list.js";

interface FiltersProps {
  shown: typeof usualKeys;
  show: (change: Partial<typeof usualKeys>) => void;
}

/** Whose keys are listed. */
export function LitellmKeyFilters({ shown, show }: FiltersProps) {
  const { t } = useTexts();
  const { user_id, team_id, alias } = shown;
  const [wanted, setWanted] = useDraft({ user_id, team_id, alias });
  const names = [
    ["user_id", t("keys.user")],
    ["team_id", t("keys.team")],
    ["alias", t("keys.aliasExact")],
  ] as const;
  const send = (event: SubmitEvent) => {
    event.preventDefault();
    show(Object.fromEntries(names.map(([name]) => [name, wanted[name].trim()])));
  };
  return (
    <form role="search" onSubmit={send} className="mb-4 flex flex-wrap items-end gap-3">
      {names.map(([name, label]) => (
        <TextField
          key={name}
          label={label}
          className="min-w-40 flex-1"
          value={wanted[name]}
          onChange={(event) => {
            setWanted({ ...wanted, [name]: event.target.value });
          }}
        />
      ))}
      <Button type="submit">{t("search")}</Button>
    </form>
  );
}
