import { X } from "lucide-react";
import { Dialog } from "radix-ui";
import { type SubmitEvent, type ReactNode, useState } from "react";
import { useTexts } from "../text/texts.js";
import { Button, IconButton } from "./button.js";
import { TextField } from "./fields.js";
import { ErrorNote } from "./notes.js";

interface ModalProps {
  onClose: () => void;
  title: string;
  /** A sentence that a screen reader reads after the title. */
  about?: ReactNode;
  wide?: boolean;
  children: ReactNode;
}

/** Where the focus was before a dialog opened; the page itself, if that went with what the dialog deleted. */
function useFocusBefore(): (event: Event) => void {
  const [before] = useState(() => document.activeElement);
  return (event) => {
    // Radix would focus a trigger, which these dialogs do not have.
    event.preventDefault();
    const isThere = before instanceof HTMLElement && before !== document.body && before.isConnected;
    const next = isThere ? before : document.getElementById("main");
    next?.focus({ preventScroll: !isThere });
  };
}

/** A dialog over the page, for as long as it is rendered. Focus stays in it, and returns to where it came from; Escape closes it. */
export function Modal({ onClose, title, about, wide = false, children }: ModalProps) {
  const { t } = useTexts();
  const giveFocusBack = useFocusBefore();
  return (
    <Dialog.Root
      open
      onOpenChange={(next) => {
        if (!next) onClose();
      }}
    >
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 bg-scrim" />
        <Dialog.Content
          onCloseAutoFocus={giveFocusBack}
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
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
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

interface ConfirmProps extends Omit<FormModalProps, "children" | "why" | "danger"> {
  /** What must be typed, for what cannot be undone. Absent: a click is enough. */
  typed?: string;
  children?: ReactNode;
}

export function Confirm({ typed, children, ...rest }: ConfirmProps) {
  const { t } = useTexts();
  const [text, setText] = useState("");
  const isTyped = typed === undefined || text.trim() === typed.trim();
  return (
    <FormModal {...rest} danger why={isTyped ? null : t("confirm.why")}>
      {children}
      {typed !== undefined && (
        <TextField
          label={t("confirm.type", { text: typed })}
          value={text}
          onChange={(event) => {
            setText(event.target.value);
          }}
        />
      )}
    </FormModal>
  );
}
