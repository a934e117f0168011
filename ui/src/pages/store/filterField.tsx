import { Plus, X } from "lucide-react";
import { useEffect, useRef } from "react";
import { Button, IconButton } from "../../parts/button.js";
import { SelectField, TextArea, TextField } from "../../parts/fields.js";
import { numberProblem, typedInto } from "../../parts/formFields.js";
import { jsonFaultText } from "../../parts/json.js";
import { useTexts } from "../../text/texts.js";
import {
  type Condition,
  type Kind,
  type SimpleFilter,
  filterProblem,
  jsonIn,
  kinds,
  lacksOf,
  noCondition,
  operators,
  simpleFilter,
} from "./filter.js";
import type { FilterState } from "./useFilter.js";

/** A filter by attributes, as a form or as JSON. */
export function FilterField({ filter: { draft, set, refused } }: { filter: FilterState }) {
  const { t } = useTexts();
  const field = useRef<HTMLFieldSetElement>(null);
  useEffect(() => {
    if (refused > 0) field.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus();
  }, [refused]);
  return (
    <fieldset ref={field} className="rounded-md border border-line p-3">
      <legend className="px-1 text-sm font-medium">{t("store.filter.title")}</legend>
      {typeof draft === "string" ? (
        <AsJson json={draft} set={set} />
      ) : (
        <div className="flex flex-col gap-2">
          <Conditions form={draft} set={set} strict={refused > 0} />
          <div className="flex flex-wrap gap-2">
            <Button
              icon={<Plus aria-hidden className="size-4" />}
              onClick={() => {
                set({ ...draft, conditions: [...draft.conditions, noCondition] });
              }}
            >
              {t("store.filter.add")}
            </Button>
            <Button
              look="quiet"
              onClick={() => {
                set(jsonIn(draft));
              }}
            >
              {t("store.filter.toJson")}
            </Button>
          </div>
        </div>
      )}
    </fieldset>
  );
}

function AsJson({ json, set }: { json: string; set: FilterState["set"] }) {
  const { t } = useTexts();
  const problem = filterProblem(json);
  const asForm = simpleFilter(json);
  return (
    <div className="flex flex-col items-start gap-2">
      <TextArea
        className="w-full"
        label={t("store.filter.json")}
        hint={t("store.filter.jsonHint")}
        rows={4}
        value={json}
        error={problem === null ? null : jsonFaultText(problem, t)}
        onChange={(event) => {
          set(event.target.value);
        }}
      />
      <Button
        why={asForm === null ? t("store.filter.onlyJson") : null}
        onClick={() => {
          if (asForm !== null) set(asForm);
        }}
      >
        {t("store.filter.toForm")}
      </Button>
    </div>
  );
}

interface ConditionsProps {
  form: SimpleFilter;
  set: (next: SimpleFilter) => void;
  /** Also say what is missing, not only what is wrong. */
  strict: boolean;
}

function Conditions({ form, set, strict }: ConditionsProps) {
  const { t } = useTexts();
  const { join, conditions } = form;
  return (
    <>
      {conditions.length > 1 && (
        <SelectField
          label={t("store.filter.join")}
          className="max-w-48"
          value={join}
          onChange={(event) => {
            set({ join: event.target.value === "or" ? "or" : "and", conditions });
          }}
        >
          <option value="and">{t("store.filter.and")}</option>
          <option value="or">{t("store.filter.or")}</option>
        </SelectField>
      )}
      {conditions.map((condition, i) => (
        <One
          key={i}
          number={i + 1}
          condition={condition}
          strict={strict}
          set={(next) => {
            set({ join, conditions: next === null ? conditions.toSpliced(i, 1) : conditions.with(i, next) });
          }}
        />
      ))}
    </>
  );
}

interface OneProps extends Pick<ConditionsProps, "strict"> {
  number: number;
  condition: Condition;
  set: (next: Condition | null) => void;
}

function One({ number, condition, strict, set }: OneProps) {
  const { t } = useTexts();
  const { kind, value } = condition;
  const field = typedInto(condition, set);
  const lacks = lacksOf(condition);
  const error = (name: "key" | "value") => {
    const what = lacks[name];
    if (what === "number") return numberProblem(value, t);
    return what === undefined || !strict ? null : t(`store.filter.lacks.${what}`);
  };
  return (
    <div
      role="group"
      aria-label={t("store.filter.condition", { count: number })}
      className="flex flex-wrap items-start gap-2"
    >
      <TextField label={t("store.filter.key")} className="min-w-32 flex-1" error={error("key")} {...field("key")} />
      <SelectField label={t("store.filter.operator")} {...field("operator")}>
        {operators.map((each) => (
          <option key={each} value={each}>
            {t(`store.filter.operators.${each}`)}
          </option>
        ))}
      </SelectField>
      <SelectField
        label={t("store.filter.kind")}
        value={kind}
        onChange={(event) => {
          const next = event.target.value as Kind;
          set({ ...condition, kind: next, value: next === "boolean" ? "true" : kind === "boolean" ? "" : value });
        }}
      >
        {kinds.map((each) => (
          <option key={each} value={each}>
            {t(`store.filter.kinds.${each}`)}
          </option>
        ))}
      </SelectField>
      {kind === "boolean" ? (
        <SelectField label={t("store.filter.value")} className="min-w-24 flex-1" {...field("value")}>
          <option value="true">{t("yes")}</option>
          <option value="false">{t("no")}</option>
        </SelectField>
      ) : (
        <TextField
          label={t("store.filter.value")}
          className="min-w-32 flex-1"
          inputMode={kind === "number" ? "decimal" : "text"}
          error={error("value")}
          {...field("value")}
        />
      )}
      <IconButton
        className="mt-6"
        icon={<X aria-hidden className="size-4" />}
        label={t("store.filter.remove", { count: number })}
        onClick={() => {
          set(null);
        }}
      />
    </div>
  );
}
