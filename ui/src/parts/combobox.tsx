import { type KeyboardEvent, type ReactNode, useEffect, useId, useRef, useState } from "react";
import { TextField } from "./fields.js";
import { Foreign } from "./notes.js";

export interface Option {
  id: string;
  label: string;
  about: string | null;
  /** Enter takes the first of these; the others must be gone to, as they were not what was looked for. */
  matches: boolean;
}

interface ComboboxProps {
  label: string;
  hint?: ReactNode;
  /** What the list is, for a screen reader. */
  listLabel: string;
  text: string;
  onText: (text: string) => void;
  /** What fits the text. */
  options: readonly Option[];
  /** Whether what fits is still being looked for. */
  busy: boolean;
  onChoose: (option: Option) => void;
}

/** A text field with a list below it: arrows go through the list, Enter takes what is marked, Escape closes the list. */
export function Combobox(props: ComboboxProps) {
  const { label, hint, listLabel, text, onText, options, busy, onChoose } = props;
  const list = useId();
  const [isOpen, setOpen] = useState(false);
  const [marked, setMarked] = useState<string | null>(null);
  const isShown = isOpen && options.length > 0;
  const usual = busy ? undefined : options.find(({ matches }) => matches);
  const active = options.find(({ id }) => id === marked) ?? usual;
  const place = active === undefined ? -1 : options.indexOf(active);
  const choose = (option: Option) => {
    setOpen(false);
    setMarked(null);
    onChoose(option);
  };
  const go = (to: number) => {
    setOpen(true);
    setMarked(options.at(to % Math.max(options.length, 1))?.id ?? null);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // An input method ends a word with Enter and goes through its own list with arrows.
    if (event.nativeEvent.isComposing) return;
    const act = {
      ArrowDown: () => {
        go(isShown ? place + 1 : Math.max(place, 0));
      },
      ArrowUp: () => {
        go(place < 1 ? -1 : place - 1);
      },
      Enter: isShown
        ? () => {
            if (active !== undefined) choose(active);
          }
        : null,
      Escape: isShown
        ? () => {
            setOpen(false);
          }
        : null,
    }[event.key];
    if (act == null) return;
    event.preventDefault();
    act();
  };
  return (
    <div>
      <TextField
        label={label}
        hint={hint}
        role="combobox"
        aria-autocomplete="list"
        aria-expanded={isShown}
        aria-controls={isShown ? list : undefined}
        aria-activedescendant={isShown && place >= 0 ? `${list}-${place}` : undefined}
        aria-busy={busy}
        value={text}
        onChange={(event) => {
          setOpen(true);
          setMarked(null);
          onText(event.target.value);
        }}
        onKeyDown={onKeyDown}
        onBlur={() => {
          setOpen(false);
        }}
      />
      {isShown && (
        <ul
          id={list}
          role="listbox"
          aria-label={listLabel}
          className="mt-1 max-h-56 overflow-y-auto rounded-md border border-edge bg-surface p-1"
        >
          {options.map((option, at) => (
            <Choice
              key={option.id}
              id={`${list}-${at}`}
              option={option}
              isActive={at === place}
              choose={() => {
                choose(option);
              }}
            />
          ))}
        </ul>
      )}
    </div>
  );
}

interface ChoiceProps {
  id: string;
  option: Option;
  isActive: boolean;
  choose: () => void;
}

function Choice({ id, option: { label, about }, isActive, choose }: ChoiceProps) {
  const item = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (isActive) item.current?.scrollIntoView({ block: "nearest" });
  }, [isActive]);
  return (
    // The keyboard's focus stays in the field, which says what is marked.
    <li
      ref={item}
      id={id}
      role="option"
      aria-selected={isActive}
      className="cursor-pointer rounded px-2 py-1.5 text-sm hover:bg-hover aria-selected:bg-accent-soft"
      onMouseDown={(event) => {
        event.preventDefault();
      }}
      onClick={choose}
    >
      <Foreign>{label}</Foreign>
      {about !== null && <Foreign className="block font-mono text-xs text-muted">{about}</Foreign>}
    </li>
  );
}
