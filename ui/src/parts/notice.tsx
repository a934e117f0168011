import { Info } from "lucide-react";
import type { ReactNode } from "react";

/** Something to know before what follows, which is no failure. */
export function Notice({ children, action }: { children: ReactNode; action?: ReactNode }) {
  return (
    <div className="mb-4 flex flex-wrap items-start gap-3 rounded-md border border-warn/40 bg-warn-soft p-3 text-sm">
      <Info aria-hidden className="mt-0.5 size-4 shrink-0 text-warn" />
      <div className="min-w-0 flex-1">{children}</div>
      {action}
    </div>
  );
}
