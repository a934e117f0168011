import type { SubmitEvent } from "react";
import { useTexts } from "../../text/texts.js";
import { isOwner, storeSorts } from "../../api/stores.js";
import { Button } from "../../parts/button.js";
import { useDraft } from "../../parts/draft.js";
import { SelectField, TextField } from "../../parts/fields.js";
import type { usualList } from "./list.js";

interface FiltersProps {
  shown: typeof usualList;
  show: (change: Partial<typeof usualList>) => void;
  withOwner: boolean;
}

/** Which vector stores are listed, in which order. */
export function StoreFilters({ shown, show, withOwner }: FiltersProps) {
  const { t } = useTexts();
  const [{ name, owner }, setWanted] = useDraft({ name: shown.name, owner: shown.owner });
  const wrong = owner.trim() === "" || isOwner(owner.trim()) ? null : t("stores.ownerWrong");
  const search = (event: SubmitEvent) => {
    event.preventDefault();
    if (wrong === null) show({ name: name.trim(), owner: owner.trim() });
  };
  return (
    <form role="search" onSubmit={search} className="mb-4 flex flex-wrap items-end gap-3">
      <TextField
        label={t("stores.search")}
        type="search"
        className="min-w-48 flex-1"
        value={name}
        onChange={(event) => {
          setWanted({ name: event.target.value, owner });
        }}
      />
      {withOwner && (
        <TextField
          label={t("stores.owner")}
          placeholder={t("stores.ownerHint")}
          className="min-w-48 flex-1"
          value={owner}
          error={wrong}
          onChange={(event) => {
            setWanted({ name, owner: event.target.value });
          }}
        />
      )}
      <Button type="submit" why={wrong}>
        {t("search")}
      </Button>
      {/* On a phone the columns that sort are left out. */}
      <SelectField
        label={t("stores.sort")}
        className="md:hidden"
        value={`${shown.sort} ${shown.order}`}
        onChange={(event) => {
          const [sort = "", order = ""] = event.target.value.split(" ");
          show({ sort, order });
        }}
      >
        {storeSorts.flatMap((sort) =>
          (["desc", "asc"] as const).map((order) => (
            <option key={`${sort} ${order}`} value={`${sort} ${order}`}>
              {t(`stores.sorts.${sort}`)}, {t(order === "asc" ? "stores.ascending" : "stores.descending")}
            </option>
          )),
        )}
      </SelectField>
    </form>
  );
}
