/** How long a part may take and how much it is to do: it ends with whichever comes first. */
export interface Pace {
  /** When it must end, on the clock of performance.now(). */
  deadline: number;
  /** Whether it must do all of it: only the whole campaign has the time. */
  whole: boolean;
  seed: number;
  /** A PostgreSQL server on which to create databases. */
  databaseUrl: string;
}

export const left = ({ deadline }: Pace) => deadline - performance.now();
