import { type ComponentProps, type ReactNode, useId } from "react";
import type { Said } from "../api/failure.js";
import { marked } from "../text/marked.js";

const control =
  "w-full min-h-9 rounded-md border border-edge bg-surface px-2.5 py-1.5 text-sm text-ink placeholder:text-muted " +
  "aria-invalid:border-danger disabled:opacity-60";

interface FieldProps {
  label: string;
  hint?: ReactNode;
  error?: string | Said | null;
  /** The label is read, but not shown: beside something that says it already. */
  hidden?: boolean;
  className?: string;
}

type Control = Pick<ComponentProps<"input">, "id" | "aria-invalid" | "aria-describedby" | "className">;

/** A label, a control, what helps to fill it in, and what is wrong with it. */
function Field({
  label,
  hint,
  error,
  hidden = false,
  className = "",
  children,
}: FieldProps & { children: (of: Control) => ReactNode }) {
  const id = useId();
  const about = [hint === undefined ? "" : `${id}-hint`, error == null ? "" : `${id}-error`].filter(Boolean).join(" ");
  return (
    <div className={`flex flex-col gap-1 ${className}`}>
      <label htmlFor={id} className={hidden ? "sr-only" : "text-sm font-medium"}>
        {label}
      </label>
      {children({
        id,
        className: control,
        "aria-invalid": error == null ? undefined : true,
        "aria-describedby": about === "" ? undefined : about,
      })}
      {hint !== undefined && (
        <p id={`${id}-hint`} className="text-xs text-muted">
          {hint}
        </p>
      )}
      {error != null && (
        <p
          id={`${id}-error`}
          className="text-xs text-danger"
          role="alert"
          lang={typeof error === "string" ? undefined : "en"}
        >
          {typeof error === "string" ? error : marked(error.english)}
        </p>
      )}
    </div>
  );
}

type Rest<T extends "input" | "textarea" | "select"> = FieldProps & Omit<ComponentProps<T>, "id" | "className">;

export function TextField({ label, hint, error, hidden, className, ...rest }: Rest<"input">) {
  return (
    <Field {...{ label, hint, error, hidden, className }}>
      {(of) => <input type="text" autoComplete="off" spellCheck={false} {...rest} {...of} />}
    </Field>
  );
}

export function TextArea({ label, hint, error, hidden, className, ...rest }: Rest<"textarea">) {
  return (
    <Field {...{ label, hint, error, hidden, className }}>{(of) => <textarea rows={3} {...rest} {...of} />}</Field>
  );
}

export function SelectField({ label, hint, error, hidden, className, ...rest }: Rest<"select">) {
  return <Field {...{ label, hint, error, hidden, className }}>{(of) => <select {...rest} {...of} />}</Field>;
}

interface CheckboxProps extends Omit<ComponentProps<"input">, "type" | "id"> {
  label: ReactNode;
  hint?: string;
}

export function Checkbox({ label, hint, className = "", ...rest }: CheckboxProps) {
  const id = useId();
  return (
    <div className={`flex gap-2 ${className}`}>
      <input
        {...rest}
        id={id}
        type="checkbox"
        className="mt-1 size-4 shrink-0 accent-accent"
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
      />
      <div>
        <label htmlFor={id} className="text-sm">
          {label}
        </label>
        {hint !== undefined && (
          <p id={`${id}-hint`} className="text-xs text-muted">
            {hint}
          </p>
        )}
      </div>
    </div>
  );
}
