import { Link } from "react-router";

interface SwitchProps<T extends string> {
  label: string;
  options: readonly (readonly [value: T, text: string])[];
  value: T;
  onChange: (value: T) => void;
}

const group = "inline-flex rounded-md border border-edge bg-surface p-0.5";
const look = (chosen: boolean) =>
  `inline-flex min-h-8 items-center rounded px-3 py-1 text-sm ${chosen ? "bg-accent-soft font-medium text-accent" : "hover:bg-hover"}`;

/** A choice between few views of the same thing. */
export function Switch<T extends string>({ label, options, value, onChange }: SwitchProps<T>) {
  return (
    <div role="group" aria-label={label} className={group}>
      {options.map(([each, text]) => (
        <button
          key={each}
          type="button"
          aria-pressed={each === value}
          className={look(each === value)}
          onClick={() => {
            onChange(each);
          }}
        >
          {text}
        </button>
      ))}
    </div>
  );
}

interface SwitchLinksProps {
  label: string;
  links: readonly (readonly [to: string, text: string])[];
  current: string;
}

/** The same between pages. */
export function SwitchLinks({ label, links, current }: SwitchLinksProps) {
  return (
    <nav aria-label={label} className={group}>
      {links.map(([to, text]) => (
        <Link
          key={to}
          to={to}
          {...(to === current && { "aria-current": "page" as const })}
          className={look(to === current)}
        >
          {text}
        </Link>
      ))}
    </nav>
  );
}
