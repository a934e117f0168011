import type { Said } from "../../api/failure.js";
import type { ListedStore, StoreChange } from "../../api/stores.js";
import { SelectField, TextField } from "../../parts/fields.js";
import { useTexts } from "../../text/texts.js";

export interface Expiry {
  kind: "never" | "days";
  days: string;
}

const mostDays = 365;

export const expiryOf = ({ expires_after: after }: Pick<ListedStore, "expires_after">): Expiry =>
  after == null ? { kind: "never", days: "" } : { kind: "days", days: String(after.days) };

/** Whether it can be sent: never, or a whole number of days. */
export const isExpiry = ({ kind, days }: Expiry): boolean =>
  kind === "never" || (/^\d{1,3}$/.test(days.trim()) && Number(days) >= 1 && Number(days) <= mostDays);

export const sentExpiry = ({ kind, days }: Expiry): NonNullable<StoreChange["expires_after"]> | null =>
  kind === "never" ? null : { anchor: "last_active_at", days: Number(days) };

interface ExpiryFieldsProps {
  value: Expiry;
  onChange: (next: Expiry) => void;
  error?: string | Said | null;
}

/** When a vector store expires by itself. */
export function ExpiryFields({ value, onChange, error = null }: ExpiryFieldsProps) {
  const { t } = useTexts();
  const isWrong = value.days !== "" && !isExpiry(value);
  return (
    <div className="grid items-start gap-3 sm:grid-cols-2">
      <SelectField
        label={t("stores.expires")}
        value={value.kind}
        onChange={(event) => {
          onChange({ ...value, kind: event.target.value === "days" ? "days" : "never" });
        }}
      >
        <option value="never">{t("never")}</option>
        <option value="days">{t("stores.unused")}</option>
      </SelectField>
      {value.kind === "days" && (
        <TextField
          label={t("stores.expiryDays")}
          hint={t("stores.expiryHint")}
          inputMode="numeric"
          value={value.days}
          error={error ?? (isWrong ? t("stores.expiryWrong") : null)}
          onChange={(event) => {
            onChange({ ...value, days: event.target.value });
          }}
        />
      )}
    </div>
  );
}
