import { Plus, X } from "lucide-react";
import { useState } from "react";
import { Button, IconButton } from "../../parts/button.js";
import { SelectField, TextArea, TextField } from "../../parts/fields.js";
import { useTexts } from "../../text/texts.js";
import {
  type Condition,
  type Kind,
  type Operator,
  type SimpleFilter,
  filterProblem,
  jsonOf,
  kinds,
  noCondition,
  operators,
  simpleFilter,
} from "./filter.js";

interface FilterFieldProps {
  /** As JSON; empty: no filter. */
  value: string;
  onChange: (json: string) => void;
}

/** A filter by attributes, as a form or as JSON. */
export function FilterField({ value, onChange }: FilterFieldProps) {
  const { t } = useTexts();
  const [form, setForm] = useState<SimpleFilter | null>(() => simpleFilter(value));
  const [told, setTold] = useState(value);
  // Changed by something else, such as the back button.
  if (value !== told) {
    setTold(value);
    setForm(simpleFilter(value));
  }
  const tell = (json: string) => {
    setTold(json);
    onChange(json);
  };
  const set = (next: SimpleFilter) => {
    setForm(next);
    tell(jsonOf(next));
  };
  const problem = filterProblem(value);
  const asForm = form === null ? simpleFilter(value) : null;
  return (
    <fieldset className="rounded-md border border-line p-3">
      <legend className="px-1 text-sm font-medium">{t("store.filter.title")}</legend>
      {form === null ? (
        <div className="flex flex-col items-start gap-2">
          <TextArea
            className="w-full"
            label={t("store.filter.json")}
            hint={t("store.filter.jsonHint")}
            rows={4}
            value={value}
            error={problem === null ? null : t("store.json", { problem })}
            onChange={(event) => {
              tell(event.target.value);
            }}
          />
          <Button
            why={asForm === null ? t("store.filter.onlyJson") : null}
            onClick={() => {
              setForm(asForm);
            }}
          >
            {t("store.filter.toForm")}
          </Button>
        </div>
      ) : (
        <div className="flex flex-col gap-2">
          <Conditions form={form} set={set} />
          <div className="flex flex-wrap gap-2">
            <Button
              icon={<Plus aria-hidden className="size-4" />}
              onClick={() => {
                set({ ...form, conditions: [...form.conditions, noCondition] });
              }}
            >
              {t("store.filter.add")}
            </Button>
            <Button
              look="quiet"
              onClick={() => {
                setForm(null);
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

function Conditions({ form, set }: { form: SimpleFilter; set: (next: SimpleFilter) => void }) {
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
          set={(next) => {
            set({ join, conditions: next === null ? conditions.toSpliced(i, 1) : conditions.with(i, next) });
          }}
        />
      ))}
    </>
  );
}

interface OneProps {
  number: number;
  condition: Condition;
  set: (next: Condition | null) => void;
}

function One({ number, condition, set }: OneProps) {
  const { t } = useTexts();
  const { key, operator, kind, value } = condition;
  return (
    <div
      role="group"
      aria-label={t("store.filter.condition", { count: number })}
      className="flex flex-wrap items-end gap-2"
    >
      <TextField
        label={t("store.filter.key")}
        className="min-w-32 flex-1"
        value={key}
        onChange={(event) => {
          set({ ...condition, key: event.target.value });
        }}
      />
      <SelectField
        label={t("store.filter.operator")}
        value={operator}
        onChange={(event) => {
          set({ ...condition, operator: event.target.value as Operator });
        }}
      >
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
        <SelectField
          label={t("store.filter.value")}
          className="min-w-24 flex-1"
          value={value}
          onChange={(event) => {
            set({ ...condition, value: event.target.value });
          }}
        >
          <option value="true">{t("yes")}</option>
          <option value="false">{t("no")}</option>
        </SelectField>
      ) : (
        <TextField
          label={t("store.filter.value")}
          className="min-w-32 flex-1"
          inputMode={kind === "number" ? "decimal" : "text"}
          value={value}
          error={
            kind === "number" && value !== "" && !Number.isFinite(Number(value)) ? t("store.filter.noNumber") : null
          }
          onChange={(event) => {
            set({ ...condition, value: event.target.value });
          }}
        />
      )}
      <IconButton
        icon={<X aria-hidden className="size-4" />}
        label={t("store.filter.remove", { count: number })}
        onClick={() => {
          set(null);
        }}
      />
    </div>
  );
}
