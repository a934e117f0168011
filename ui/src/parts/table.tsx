import {
  type ColumnDef,
  type RowSelectionState,
  rowSelectionFeature,
  tableFeatures,
  useTable,
} from "@tanstack/react-table";
import { ArrowDown, ArrowUp, ChevronsUpDown } from "lucide-react";
import type { ReactNode } from "react";
import { useTexts } from "../text/texts.js";
import { ScrollBox } from "./scrollBox.js";

const features = tableFeatures({ rowSelectionFeature });

export interface Column<Row> {
  id: string;
  title: string;
  cell: (row: Row) => ReactNode;
  /** Figures stand on the right, below each other. */
  numeric?: boolean;
  /** What the service sorts by for this column; absent: it does not. */
  sort?: string;
  /** The first click sorts from A to Z, not from the largest or newest. */
  ascends?: boolean;
  /** Left out on a phone. */
  minor?: boolean;
}

interface Sorting {
  by: string;
  order: "asc" | "desc";
  onSort: (by: string, order: "asc" | "desc") => void;
}

interface Choosing<Row> {
  chosen: ReadonlySet<string>;
  onChoose: (ids: ReadonlySet<string>) => void;
  nameOf: (row: Row) => string;
  /** Whether a row can be chosen; absent: each can. */
  may?: (row: Row) => boolean;
}

interface DataTableProps<Row> {
  /** What the rows are, for a screen reader. */
  label: string;
  rows: readonly Row[];
  columns: readonly Column<Row>[];
  idOf: (row: Row) => string;
  sorting?: Sorting;
  choosing?: Choosing<Row>;
  /** Shown while newer rows are on their way. */
  stale?: boolean;
}

/** Rows that the service has sorted and cut into pages. */
export function DataTable<Row extends object>(props: DataTableProps<Row>) {
  const { label, rows, columns, idOf, sorting, choosing, stale = false } = props;
  const { t } = useTexts();
  const rowSelection: RowSelectionState = Object.fromEntries([...(choosing?.chosen ?? [])].map((id) => [id, true]));
  const definitions: ColumnDef<typeof features, Row>[] = columns.map((column) => ({
    id: column.id,
    header: column.title,
  }));
  const table = useTable({
    features,
    data: rows,
    columns: definitions,
    getRowId: idOf,
    enableRowSelection: ({ original }) => choosing?.may?.(original) ?? true,
    state: { rowSelection },
    onRowSelectionChange: (change) => {
      const next = typeof change === "function" ? change(rowSelection) : change;
      choosing?.onChoose(new Set(Object.keys(next).filter((id) => next[id])));
    },
  });
  const columnOf = (id: string) => columns.find((column) => column.id === id);
  const looks = (id: string) => {
    const column = columnOf(id);
    return `${column?.numeric === true ? "text-right tabular-nums whitespace-nowrap" : "min-w-24 text-left"} ${column?.minor === true ? "max-md:hidden" : ""}`;
  };
  return (
    // It scrolls on a narrow screen, so it must take the focus.
    <ScrollBox tabIndex={0} role="region" aria-label={label} className="rounded-lg border border-line bg-surface">
      <table className={`w-full border-collapse text-sm ${stale ? "opacity-60" : ""}`} aria-busy={stale}>
        <thead>
          {table.getHeaderGroups().map((group) => (
            <tr key={group.id} className="border-b border-line text-muted">
              {choosing !== undefined && (
                <th scope="col" className="w-9 py-2 pl-3 text-left">
                  <Check
                    label={t("table.chooseAll")}
                    checked={table.getIsAllRowsSelected()}
                    some={table.getIsSomeRowsSelected()}
                    onChange={(checked) => {
                      table.toggleAllRowsSelected(checked);
                    }}
                  />
                </th>
              )}
              {group.headers.map((header) => (
                <Head key={header.id} column={columnOf(header.id)} sorting={sorting} className={looks(header.id)} />
              ))}
            </tr>
          ))}
        </thead>
        <tbody>
          {table.getRowModel().rows.map((row) => (
            <tr
              key={row.id}
              className="border-b border-line last:border-0 hover:bg-hover"
              {...(choosing !== undefined && { "aria-selected": row.getIsSelected() })}
            >
              {choosing !== undefined && (
                <td className="py-2 pl-3">
                  {row.getCanSelect() && (
                    <Check
                      label={t("table.choose", { name: choosing.nameOf(row.original) })}
                      checked={row.getIsSelected()}
                      onChange={(checked) => {
                        row.toggleSelected(checked);
                      }}
                    />
                  )}
                </td>
              )}
              {row.getAllCells().map((cell) => (
                <td key={cell.id} className={`px-3 py-2 align-top ${looks(cell.column.id)}`}>
                  {/* Called, not rendered as a component of its own: that would be a new one each time, without its focus. */}
                  {columnOf(cell.column.id)?.cell(row.original)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollBox>
  );
}

function Head<Row>({
  column,
  sorting,
  className,
}: {
  column: Column<Row> | undefined;
  sorting: Sorting | undefined;
  className: string;
}) {
  const by = column?.sort;
  if (column === undefined || by === undefined || sorting === undefined) {
    return (
      <th scope="col" className={`px-3 py-2 font-medium whitespace-nowrap ${className}`}>
        {column?.title}
      </th>
    );
  }
  const sorted = sorting.by === by ? sorting.order : null;
  const [first, turned] = column.ascends === true ? (["asc", "desc"] as const) : (["desc", "asc"] as const);
  const Icon = sorted === null ? ChevronsUpDown : sorted === "asc" ? ArrowUp : ArrowDown;
  return (
    <th
      scope="col"
      aria-sort={sorted === null ? "none" : sorted === "asc" ? "ascending" : "descending"}
      className={`px-3 py-1 font-medium whitespace-nowrap ${className}`}
    >
      <button
        type="button"
        className="inline-flex items-center gap-1 rounded py-1 hover:text-ink"
        onClick={() => {
          sorting.onSort(by, sorted === first ? turned : first);
        }}
      >
        {column.title}
        <Icon aria-hidden className="size-3.5" />
      </button>
    </th>
  );
}

interface CheckProps {
  label: string;
  checked: boolean;
  some?: boolean;
  onChange: (checked: boolean) => void;
}

function Check({ label, checked, some = false, onChange }: CheckProps) {
  return (
    <input
      type="checkbox"
      aria-label={label}
      className="size-4 accent-accent"
      checked={checked}
      ref={(element) => {
        if (element !== null) element.indeterminate = some && !checked;
      }}
      onChange={(event) => {
        onChange(event.target.checked);
      }}
    />
  );
}
