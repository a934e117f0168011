import { useQuery } from "@tanstack/react-query";
import type { SubmitEvent } from "react";
import { type UsageGroup, type UsageQuery, type Whose, usage, usageGroups } from "../../api/usage.js";
import { Button } from "../../parts/button.js";
import { useDraft } from "../../parts/draft.js";
import { Checkbox, SelectField, TextField } from "../../parts/fields.js";
import { marked } from "../../text/marked.js";
import { operationName, useTexts } from "../../text/texts.js";
import type { usualUsage } from "./list.js";

interface FiltersProps {
  whose: Whose;
  shown: typeof usualUsage;
  show: (change: Partial<typeof usualUsage>) => void;
  asked: UsageQuery;
}

const none = { user_id: "", team_id: "", key_id: "", vector_store_id: "", action: "" };

/** Whose usage, of what. */
export function UsageFilters({ whose, shown, show, asked }: FiltersProps) {
  const { t } = useTexts();
  const { user_id, team_id, key_id, vector_store_id } = shown;
  // Not of all that is shown: what was typed stays while something else on the page changes.
  const [wanted, setWanted] = useDraft({ user_id, team_id, key_id, vector_store_id });
  const { from, to } = asked;
  const actions = useQuery(
    usage(whose, { ...(from !== undefined && { from }), ...(to !== undefined && { to }), group_by: "action" }),
  );
  const known = new Set([...(actions.data?.data.flatMap(({ action }) => action ?? []) ?? []), shown.action]);
  known.delete("");
  const names =
    whose === "all" ? (["user_id", "team_id", "key_id", "vector_store_id"] as const) : (["vector_store_id"] as const);
  const isFiltered = Object.entries(none).some(([name]) => shown[name as keyof typeof none] !== "");
  const send = (event: SubmitEvent) => {
    event.preventDefault();
    show(Object.fromEntries(names.map((name) => [name, wanted[name].trim()])));
  };
  return (
    <form role="search" onSubmit={send} className="mb-6 flex flex-wrap items-end gap-3">
      {names.map((name) => (
        <TextField
          key={name}
          label={t(`usage.groups.${name}`)}
          className="min-w-36 flex-1"
          value={wanted[name]}
          onChange={(event) => {
            setWanted({ ...wanted, [name]: event.target.value });
          }}
        />
      ))}
      <SelectField
        label={t("usage.groups.action")}
        className="min-w-36 flex-1"
        value={shown.action}
        onChange={(event) => {
          show({ action: event.target.value });
        }}
      >
        <option value="">{t("usage.anyAction")}</option>
        {[...known]
          .map((each) => [each, operationName(each, t)] as const)
          .toSorted(([, a], [, b]) => a.localeCompare(b))
          .map(([each, name]) => (
            <option key={each} value={each}>
              {marked(name)}
            </option>
          ))}
      </SelectField>
      <Button type="submit">{t("search")}</Button>
      {isFiltered && (
        <Button
          look="quiet"
          onClick={() => {
            show(none);
          }}
        >
          {t("usage.clear")}
        </Button>
      )}
    </form>
  );
}

interface GroupFieldsProps {
  whose: Whose;
  groups: readonly UsageGroup[];
  onChange: (groups: UsageGroup[]) => void;
}

/** What sums can be grouped by: one's own are of one user. */
export const offeredGroups = (whose: Whose): UsageGroup[] =>
  whose === "all" ? [...usageGroups] : ["day", "key_id", "vector_store_id", "action"];

/** What the sums are grouped by: at least one. */
export function GroupFields({ whose, groups: shown, onChange }: GroupFieldsProps) {
  const { t } = useTexts();
  const [groups, setGroups] = useDraft(shown);
  return (
    <fieldset className="mb-3 flex flex-wrap gap-x-4 gap-y-1">
      <legend className="mb-1 text-sm font-medium">{t("usage.groupBy")}</legend>
      {offeredGroups(whose).map((each) => (
        <Checkbox
          key={each}
          label={t(`usage.groups.${each}`)}
          checked={groups.includes(each)}
          disabled={groups.length === 1 && groups[0] === each}
          onChange={(event) => {
            const next = usageGroups.filter((one) => (one === each ? event.target.checked : groups.includes(one)));
            setGroups(next);
            onChange(next);
          }}
        />
      ))}
    </fieldset>
  );
}
