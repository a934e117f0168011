import { LoaderCircle } from "lucide-react";
import type { ComponentProps, ReactNode } from "react";
import { Link, type LinkProps } from "react-router";

const base =
  "inline-flex min-h-9 items-center justify-center gap-2 rounded-md px-3 py-1.5 text-sm font-medium whitespace-nowrap " +
  "transition-colors aria-disabled:opacity-55 aria-disabled:cursor-not-allowed";
const looks = {
  primary: "bg-accent text-on-accent hover:not-aria-disabled:opacity-90",
  secondary: "border border-edge bg-surface text-ink hover:not-aria-disabled:bg-hover",
  quiet: "text-ink hover:not-aria-disabled:bg-hover",
  danger: "bg-danger text-surface hover:not-aria-disabled:opacity-90",
} as const;
export type Look = keyof typeof looks;

export const buttonClass = (look: Look, more = ""): string => `${base} ${looks[look]} ${more}`;

interface ButtonProps extends Omit<ComponentProps<"button">, "disabled"> {
  look?: Look;
  icon?: ReactNode;
  /** Shows that it works; further clicks do nothing. */
  busy?: boolean;
  /** Why it cannot be used now. It stays focusable, so that a screen reader can read the reason, too. */
  why?: string | null;
}

export function Button({ look = "secondary", icon, busy = false, why, children, className, ...rest }: ButtonProps) {
  const off = busy || (why !== undefined && why !== null);
  return (
    <button
      type="button"
      {...rest}
      className={buttonClass(look, className)}
      aria-disabled={off || undefined}
      aria-busy={busy || undefined}
      title={why ?? rest.title}
      onClick={(event) => {
        if (off) event.preventDefault();
        else rest.onClick?.(event);
      }}
    >
      {busy ? <LoaderCircle aria-hidden className="size-4 animate-spin" /> : icon}
      {children}
      {why !== undefined && why !== null && <span className="sr-only">: {why}</span>}
    </button>
  );
}

interface IconButtonProps extends Omit<ButtonProps, "children" | "icon"> {
  icon: ReactNode;
  label: string;
}

/** A button without words; its label is read, and shown when the pointer rests. */
export function IconButton({ label, icon, className = "", ...rest }: IconButtonProps) {
  return (
    <Button look="quiet" title={label} {...rest} aria-label={label} className={`min-w-9 px-2! ${className}`}>
      {icon}
    </Button>
  );
}

export function ButtonLink({ look = "secondary", className, ...rest }: LinkProps & { look?: Look }) {
  return <Link {...rest} className={buttonClass(look, className)} />;
}
