import { Check, Copy } from "lucide-react";
import { useState } from "react";
import { marked } from "../text/marked.js";
import { useTexts } from "../text/texts.js";
import { useAnnounce } from "./announcer.js";
import { Button, IconButton } from "./button.js";

/** Puts a text into the clipboard. Over plain http browsers have none to offer; then the text is selected instead. */
async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** @param what what is copied, for the label: "ID" */
export function CopyButton({ text, what, words = false }: { text: string; what: string; words?: boolean }) {
  const { t } = useTexts();
  const announce = useAnnounce();
  const [done, setDone] = useState(false);
  const icon = done ? <Check aria-hidden className="size-4 text-ok" /> : <Copy aria-hidden className="size-4" />;
  const onClick = () => {
    void copy(text).then((copied) => {
      setDone(copied);
      announce(copied ? t("copy.done", { what }) : t("copy.failed"));
    });
  };
  const label = t("copy.label", { what });
  return words ? (
    <Button icon={icon} onClick={onClick}>
      {label}
    </Button>
  ) : (
    <IconButton icon={icon} label={label} onClick={onClick} />
  );
}

/** A text in fixed width, to be copied. */
export function Code({ text, what }: { text: string; what: string }) {
  return (
    <div className="relative rounded-md border border-line bg-canvas">
      <div className="absolute top-1 right-1 rounded-md bg-canvas">
        <CopyButton text={text} what={what} />
      </div>
      {/* It scrolls, so it must take the focus. */}
      <pre
        tabIndex={0}
        role="region"
        aria-label={what}
        className="max-h-96 overflow-auto p-3 pr-12 font-mono text-xs whitespace-pre"
      >
        {marked(text)}
      </pre>
    </div>
  );
}
