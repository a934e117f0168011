import { CalendarClock, RotateCcw, Trash2 } from "lucide-react";
import { useState } from "react";
import { type ListedStore, titleOf, useDeleteStores, useUpdateStores } from "../../api/stores.js";
import type { Outcome } from "../../api/several.js";
import { useAnnounce } from "../../parts/announcer.js";
import { Button } from "../../parts/button.js";
import { Confirm, FormModal } from "../../parts/dialog.js";
import { Concerned } from "../../parts/outcome.js";
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
  const [asking, setAsking] = useState<"expiry" | "again" | "delete" | null>(null);
  const expired = stores.filter(({ status }) => status === "expired");
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
      {expired.length > 0 && (
        <Button
          icon={<RotateCcw aria-hidden className="size-4" />}
          onClick={() => {
            setAsking("again");
          }}
        >
          {t("stores.useAgain")}
        </Button>
      )}
      <Button
        icon={<Trash2 aria-hidden className="size-4" />}
        onClick={() => {
          setAsking("delete");
        }}
      >
        {t("stores.delete", { count: stores.length })}
      </Button>
      {asking === "expiry" && <SetExpiry {...dialog} />}
      {asking === "again" && <Again {...dialog} stores={expired} />}
      {asking === "delete" && <Delete {...dialog} />}
    </div>
  );
}

interface DialogProps extends BulkProps {
  onClose: () => void;
}

/** A failure as a whole is shown in the dialog. */
const shown = () => undefined;
const thingsOf = (stores: readonly ListedStore[]) => stores.map((store) => ({ id: store.id, title: titleOf(store) }));
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
      <Concerned label={t("stores.title")} things={thingsOf(stores)} outcome={remove.data} />
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
      <Concerned label={t("stores.title")} things={thingsOf(stores)} outcome={update.data} />
    </FormModal>
  );
}

/** Brings back those that have expired. */
function Again(props: DialogProps) {
  const { t } = useTexts();
  // Those it was opened for: they leave the list of expired ones as they come back.
  const [stores] = useState(props.stores);
  const update = useUpdateStores();
  const finish = useFinish({ ...props, stores }, (count) => t("stores.usedAgain", { count }));
  return (
    <FormModal
      onClose={props.onClose}
      title={t("stores.againTitle", { count: stores.length })}
      about={t("stores.againAbout")}
      submit={t("stores.useAgain")}
      busy={update.isPending}
      error={update.error}
      onSubmit={() => {
        void update.mutateAsync({ ids: idsOf(stores), what: {} }).then(finish, shown);
      }}
    >
      <Concerned label={t("stores.title")} things={thingsOf(stores)} outcome={update.data} />
    </FormModal>
  );
}

/** What they have now, if all have the same. */
function commonExpiry(stores: readonly ListedStore[]) {
  const [first, ...others] = stores.map(expiryOf);
  const isCommon = first !== undefined && others.every(({ days }) => days === first.days);
  return isCommon ? first : { kind: "days" as const, days: "" };
}
