import { type SubmitEvent, useState } from "react";
import { useNavigate } from "react-router";
import type { Source } from "../../api/people.js";
import { Button } from "../../parts/button.js";
import { useDraft } from "../../parts/draft.js";
import { SelectField, TextField } from "../../parts/fields.js";
import { useTexts } from "../../text/texts.js";
import type { usualPeople } from "./list.js";

interface FiltersProps {
  kind: "users" | "teams";
  source: Source;
  canAsk: boolean;
  shown: typeof usualPeople;
  show: (change: Partial<typeof usualPeople>) => void;
}

/** Which users or teams are listed. LiteLLM searches by email or alias; those known here are opened by their id. */
export function PeopleFilters(props: FiltersProps) {
  const { kind, source, canAsk, show } = props;
  const { t } = useTexts();
  return (
    <div className="mb-4 flex flex-wrap items-end gap-3">
      {canAsk && (
        <SelectField
          label={t("people.source")}
          value={source}
          onChange={(event) => {
            show({ source: event.target.value, search: "" });
          }}
        >
          <option value="litellm">{t("people.sources.litellm")}</option>
          <option value="service">{t("people.sources.service")}</option>
          <option value="gone">{t("people.sources.gone")}</option>
        </SelectField>
      )}
      {source === "litellm" ? <Search {...props} /> : <OpenById key={kind} kind={kind} />}
    </div>
  );
}

function Search({ kind, shown, show }: FiltersProps) {
  const { t } = useTexts();
  const [text, setText] = useDraft(shown.search);
  const send = (event: SubmitEvent) => {
    event.preventDefault();
    show({ search: text.trim() });
  };
  return (
    <form role="search" onSubmit={send} className="flex flex-1 flex-wrap items-end gap-3">
      <TextField
        label={t(kind === "users" ? "people.searchUsers" : "people.searchTeams")}
        type="search"
        className="min-w-48 flex-1"
        value={text}
        onChange={(event) => {
          setText(event.target.value);
        }}
      />
      <Button type="submit">{t("search")}</Button>
    </form>
  );
}

function OpenById({ kind }: { kind: "users" | "teams" }) {
  const { t } = useTexts();
  const navigate = useNavigate();
  const [id, setId] = useState("");
  const wanted = id.trim();
  const send = (event: SubmitEvent) => {
    event.preventDefault();
    if (wanted !== "") void navigate(`/people/${kind}/${encodeURIComponent(wanted)}`);
  };
  return (
    <form onSubmit={send} className="flex flex-1 flex-wrap items-end gap-3">
      <TextField
        label={t(kind === "users" ? "people.userId" : "people.teamId")}
        className="min-w-48 flex-1"
        value={id}
        onChange={(event) => {
          setId(event.target.value);
        }}
      />
      <Button type="submit" why={wanted === "" ? t("people.idFirst") : null}>
        {t("people.open")}
      </Button>
    </form>
  );
}
