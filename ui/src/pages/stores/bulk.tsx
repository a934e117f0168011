import { CalendarClock, Trash2 } from "lucide-react";
import { useState } from "react";
import { type ListedStore, type Outcome, titleOf, useDeleteStores, useUpdateStores } from "../../api/stores.js";
import { useAnnounce } from "../../parts/announcer.js";
import { Button } from "../../parts/button.js";
import { Confirm, FormModal } from "../../parts/dialog.js";
import { Foreign } from "../../parts/notes.js";
import { useTexts } from "../../text/texts.js";
import { ExpiryFields, expiryOf, isExpiry, sentExpiry } from "./expiry.js";

interface BulkProps {
  stores: readonly ListedStore[];
  /** These are no longer chosen. */
  onDone: (ids: ReadonlySet<string>) => void;
}

/** What can be done with all chosen vector stores. What did not go stays chosen, with the reason. */
export default function BulkActions({ stores, onDone }: BulkProps) {
  const { t } = useTexts();
  const [asking, setAsking] = useState<"expiry" | "delete" | null>(null);
  const dialog = {
    stores,
    onDone,
    onClose: () => {
      setAsking(null);
    },
  };
  return (
    <div className="mb-3 flex flex-wrap items-center gap-3 text-sm">
      <span role="status">{t("table.chosen", { count: stores.length })}</span>
      <Button
        icon={<CalendarClock aria-hidden className="size-4" />}
        onClick={() => {
          setAsking("expiry");
        }}
      >
        {t("stores.setExpiry")}
      </Button>
      <Button
        icon={<Trash2 aria-hidden className="size-4" />}
        onClick={() => {
          setAsking("delete");
        }}
      >
        {t("stores.delete", { count: stores.length })}
      </Button>
      {asking === "expiry" && <SetExpiry {...dialog} />}
      {asking === "delete" && <Delete {...dialog} />}
    </div>
  );
}

interface DialogProps extends BulkProps {
  onClose: () => void;
}

/** A failure as a whole is shown in the dialog. */
const shown = () => undefined;
const idsOf = (stores: readonly ListedStore[]) => stores.map(({ id }) => id);

/**
 * Closes once all went well; otherwise what went well is no longer chosen, and the rest stays to be tried again. Not a
 * callback of `mutate`: the dialog may be gone by then, with all that it was about.
 */
function useFinish({ stores, onDone, onClose }: DialogProps, say: (count: number) => string) {
  const announce = useAnnounce();
  return ({ done }: Outcome) => {
    onDone(done);
    if (done.size < stores.length) return;
    onClose();
    announce(say(done.size));
  };
}

function Delete(props: DialogProps) {
  const { t } = useTexts();
  const { stores, onClose } = props;
  const remove = useDeleteStores();
  const count = stores.length;
  const [first] = stores;
  const finish = useFinish(props, (deleted) => t("stores.deleted", { count: deleted }));
  return (
    <Confirm
      onClose={onClose}
      title={t("stores.deleteTitle", { count })}
      about={t("stores.deleteAbout")}
      typed={first !== undefined && count === 1 ? titleOf(first) : t("stores.deleteWord", { count })}
      submit={t("stores.delete", { count })}
      busy={remove.isPending}
      error={remove.error}
      onSubmit={() => {
        void remove.mutateAsync({ ids: idsOf(stores), what: null }).then(finish, shown);
      }}
    >
      <Concerned stores={stores} outcome={remove.data} />
    </Confirm>
  );
}

function SetExpiry(props: DialogProps) {
  const { t } = useTexts();
  const { stores, onClose } = props;
  const update = useUpdateStores();
  const [expiry, setExpiry] = useState(() => commonExpiry(stores));
  const finish = useFinish(props, (count) =>
    expiry.kind === "never" ? t("stores.neverExpires", { count }) : t("stores.expirySet", { count }),
  );
  return (
    <FormModal
      onClose={onClose}
      title={t("stores.expiryTitle", { count: stores.length })}
      submit={t("stores.setExpiry")}
      busy={update.isPending}
      why={isExpiry(expiry) ? null : t("stores.expiryWrong")}
      error={update.error}
      onSubmit={() => {
        void update
          .mutateAsync({ ids: idsOf(stores), what: { expires_after: sentExpiry(expiry) } })
          .then(finish, shown);
      }}
    >
      <ExpiryFields value={expiry} onChange={setExpiry} />
      <Concerned stores={stores} outcome={update.data} />
    </FormModal>
  );
}

/** What they have now, if all have the same. */
function commonExpiry(stores: readonly ListedStore[]) {
  const [first, ...others] = stores.map(expiryOf);
  const isCommon = first !== undefined && others.every(({ days }) => days === first.days);
  return isCommon ? first : { kind: "days" as const, days: "" };
}

/** Which vector stores it is about, and why some of them did not go. */
function Concerned({ stores, outcome }: { stores: readonly ListedStore[]; outcome: Outcome | undefined }) {
  const { t } = useTexts();
  const reasons = new Map(outcome?.failed.map(({ id, error }) => [id, error.message]));
  return (
    <>
      {reasons.size > 0 && (
        <p role="alert" className="text-sm font-medium text-danger">
          {t("stores.partly", { done: outcome?.done.size ?? 0, failed: reasons.size })}
        </p>
      )}
      <ul tabIndex={0} aria-label={t("stores.title")} className="max-h-40 list-disc overflow-auto pl-5 text-sm">
        {stores.map((store) => {
          const reason = reasons.get(store.id);
          return (
            <li key={store.id}>
              <Foreign>{titleOf(store)}</Foreign>
              {reason !== undefined && <Foreign className="block text-xs text-danger">{reason}</Foreign>}
            </li>
          );
        })}
      </ul>
    </>
  );
}
