import { X } from "lucide-react";
import { Dialog } from "radix-ui";
import { type ReactNode, type SubmitEvent, type SyntheticEvent, useRef, useState } from "react";
import { marked } from "../text/marked.js";
import { useTexts } from "../text/texts.js";
import { Button, IconButton } from "./button.js";
import { TextField } from "./fields.js";
import { ErrorNote } from "./notes.js";
import { visible } from "./visible.js";

interface ModalProps {
  onClose: () => void;
  title: string;
  /** A sentence that a screen reader reads after the title. */
  about?: ReactNode;
  wide?: boolean;
  /** It does not close now, so nothing that was typed is at risk: `onClose` says why. */
  stays?: boolean;
  children: ReactNode;
}

/** Where the focus was before a dialog opened; the page itself, if that went with what the dialog deleted. */
function useFocusBefore(): (event: Event) => void {
  const [before] = useState(() => document.activeElement);
  return (event) => {
    // Radix would focus a trigger, which these dialogs do not have.
    event.preventDefault();
    const isThere = before instanceof HTMLElement && before !== document.body && before.isConnected;
    // It was in a dialog that closed with this one, and has given the focus back already.
    if (!isThere && document.activeElement !== document.body) return;
    const next = isThere ? before : document.getElementById("main");
    next?.focus({ preventScroll: !isThere });
  };
}

type Typed = HTMLInputElement | HTMLTextAreaElement;

/** What somebody types into; not what is chosen with a click, nor what only confirms. */
const isTypedInto = (target: unknown): target is Typed =>
  (target instanceof HTMLTextAreaElement ||
    (target instanceof HTMLInputElement && !["checkbox", "radio"].includes(target.type))) &&
  target.dataset.throwaway === undefined;

/** Notes what fields had before somebody came to them, to tell whether something would be lost. */
function useTyping() {
  const before = useRef(new Map<Typed, string>());
  const note = ({ target }: SyntheticEvent) => {
    if (isTypedInto(target) && !before.current.has(target)) before.current.set(target, target.value);
  };
  return {
    listeners: { onFocusCapture: note, onKeyDownCapture: note },
    isTyped: () => [...before.current].some(([field, value]) => field.isConnected && field.value !== value),
  };
}

/** What was said to be done is shown above a dialog, and closing that is not closing the dialog. */
function keepForMessages(event: { target: EventTarget | null; detail: { originalEvent: Event } } & Event): void {
  const { target } = event.detail.originalEvent;
  if (target instanceof Element && target.closest("[data-announcer]") !== null) event.preventDefault();
}

/**
 * A dialog over the page, for as long as it is rendered. Focus stays in it, and returns to where it came from; Escape, or
 * a click beside it, closes it, and asks first if something was typed into it.
 */
export function Modal({ onClose, title, about, wide = false, stays = false, children }: ModalProps) {
  const { t } = useTexts();
  const giveFocusBack = useFocusBefore();
  const { listeners, isTyped } = useTyping();
  const [asking, setAsking] = useState(false);
  return (
    <Dialog.Root
      open
      onOpenChange={(next) => {
        if (next) return;
        if (!stays && isTyped()) setAsking(true);
        else onClose();
      }}
    >
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 bg-scrim" />
        <Dialog.Content
          onCloseAutoFocus={giveFocusBack}
          onInteractOutside={keepForMessages}
          {...listeners}
          onEscapeKeyDown={(event) => {
            // Of what is open, only the innermost is closed.
            const list = '[role="combobox"][aria-expanded="true"]';
            if (event.target instanceof Element && event.target.matches(list)) event.preventDefault();
          }}
          {...(about === undefined ? { "aria-describedby": undefined } : {})}
          className={
            `fixed inset-x-2 bottom-2 z-50 mx-auto max-h-[calc(100dvh-1rem)] overflow-auto rounded-xl border border-line bg-raised p-5 ` +
            `shadow-xl sm:bottom-auto sm:top-[8vh] sm:max-h-[84vh] ${wide ? "sm:max-w-3xl" : "sm:max-w-lg"}`
          }
        >
          <div className="mb-3 flex items-start justify-between gap-3">
            <Dialog.Title className="foreign text-lg font-semibold">{title}</Dialog.Title>
            <Dialog.Close asChild>
              <IconButton icon={<X aria-hidden className="size-4" />} label={t("close")} className="-mt-1 -mr-2" />
            </Dialog.Close>
          </div>
          {about !== undefined && <Dialog.Description className="mb-4 text-sm text-muted">{about}</Dialog.Description>}
          {children}
          {asking && !stays && (
            <Discard
              keep={() => {
                setAsking(false);
              }}
              discard={onClose}
            />
          )}
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

/** Asks before what was typed is lost. */
function Discard({ keep, discard }: { keep: () => void; discard: () => void }) {
  const { t } = useTexts();
  return (
    <Modal onClose={keep} title={t("discard.title")} about={t("discard.about")}>
      <div className="flex flex-wrap justify-end gap-2">
        <Button look="primary" onClick={keep}>
          {t("discard.keep")}
        </Button>
        <Button onClick={discard}>{t("discard.discard")}</Button>
      </div>
    </Modal>
  );
}

export interface DialogFormProps {
  onClose: () => void;
  submit: string;
  danger?: boolean;
  busy: boolean;
  /** Why it cannot be sent now. */
  why?: string | null;
  /** Why it cannot be closed now. */
  stay?: string | null;
  error: Error | null;
  onSubmit: () => void;
  children: ReactNode;
}

/** The form in a dialog: its fields, what went wrong, cancel and send. */
export function DialogForm(props: DialogFormProps) {
  const { onClose, submit, danger = false, busy, why, stay, error, onSubmit, children } = props;
  const { t } = useTexts();
  const send = (event: SubmitEvent) => {
    event.preventDefault();
    if (!busy && why == null) onSubmit();
  };
  return (
    <form onSubmit={send} className="flex flex-col gap-4" noValidate>
      {children}
      {error !== null && <ErrorNote error={error} />}
      <div className="flex flex-wrap justify-end gap-2">
        <Button onClick={onClose} why={stay}>
          {t("cancel")}
        </Button>
        <Button type="submit" look={danger ? "danger" : "primary"} busy={busy} why={why}>
          {submit}
        </Button>
      </div>
    </form>
  );
}

type FormModalProps = DialogFormProps & Omit<ModalProps, "children">;

/** A dialog with a form. */
export function FormModal({ title, about, wide, ...form }: FormModalProps) {
  return (
    <Modal onClose={form.onClose} title={title} about={about} {...(wide !== undefined && { wide })}>
      <DialogForm {...form} />
    </Modal>
  );
}

interface ConfirmProps extends Omit<FormModalProps, "children" | "danger"> {
  /** What must be typed, as far as it is visible, for what cannot be undone. Absent: a click is enough. */
  typed?: string;
  children?: ReactNode;
}

export function Confirm({ typed, why = null, children, ...rest }: ConfirmProps) {
  const { t } = useTexts();
  const [text, setText] = useState("");
  // Or as it stands elsewhere on the page, from where it may have been copied.
  const isTyped = typed === undefined || [typed, marked(typed)].some((name) => visible(name) === visible(text));
  return (
    <FormModal {...rest} danger why={why ?? (isTyped ? null : t("confirm.why"))}>
      {children}
      {typed !== undefined && (
        <TextField
          label={t("confirm.type", { text: visible(typed) })}
          data-throwaway=""
          value={text}
          onChange={(event) => {
            setText(event.target.value);
          }}
        />
      )}
    </FormModal>
  );
}
