import type { Log } from "../../process/log.js";

/** One connection, as the watch sees it. */
export interface Watched {
  /** The server process behind it; null if it told none. */
  pid: number | null;
  /** Bytes that have arrived from the server so far. */
  received(): number;
  /** Breaks the connection, so that its statement fails at once. */
  cut(): void;
}

/** What the server says about its processes, asked on a connection that no statement uses. */
export interface Word {
  /** Those of the asked pids that work on a statement. Null: a pooler is in between, and pids mean nothing. */
  working: ReadonlySet<number> | null;
}

interface Statement {
  on: Watched;
  since: number;
  received: number;
  /** Looks in a row that found no sign of life. */
  misses: number;
}

/** A statement this old is looked at; younger ones are the rule. */
const oldMs = 4000;
const pauseMs = 1000;
/** One look asks for at most this long. */
export const askMs = 2000;
/** With the times above, a dead connection is closed within 14 s. */
const missesAllowed = 3;

export interface Watch {
  /** Watches one statement. @returns called at its end; true: the server answered */
  begin(on: Watched): (answered: boolean) => void;
  /** Looks once at statements that have waited for long. Runs by itself; for tests. @param now milliseconds */
  look(now?: number): Promise<void>;
  close(): void;
}

/**
 * Finds connections whose other end is gone although no error says so: the cable is cut, a failover has moved the
 * database, a firewall has forgotten the connection. TCP would take 15 minutes to notice an unanswered statement, and a
 * statement's own time limit may be an hour. Such a statement is cut if three looks in a row find that the server does
 * not work on it, or that the server does not answer anybody. A long statement that does work is left alone.
 * @param ask answers for pids; rejects if the server gives no answer
 */
export function createWatch(ask: (pids: number[]) => Promise<Word>, log: Log): Watch {
  const underWay = new Set<Statement>();
  let answers = 0;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  const look = async (now = performance.now()) => {
    const old = [...underWay].filter(({ since }) => now - since >= oldMs);
    if (old.length === 0) return;
    const before = answers;
    const word = await ask(old.map(({ on }) => on.pid).filter((pid) => pid !== null)).catch(() => null);
    // The server answers others: it is only slow.
    const lives = word === null && answers !== before;
    for (const statement of old) {
      if (!underWay.has(statement)) continue;
      const { on } = statement;
      const received = on.received();
      const dead = !lives && received === statement.received && isDead(word, on.pid);
      statement.received = received;
      statement.misses = dead ? statement.misses + 1 : 0;
      if (statement.misses < missesAllowed) continue;
      const seconds = Math.round((now - statement.since) / 1000);
      log.warn({ seconds, reachable: word !== null }, "a database connection gave no sign of life and was closed");
      on.cut();
    }
  };
  const schedule = () => {
    if (closed || timer !== undefined || underWay.size === 0) return;
    timer = setTimeout(() => {
      void look().finally(() => {
        timer = undefined;
        schedule();
      });
    }, pauseMs);
    timer.unref();
  };
  return {
    begin(on) {
      const statement = { on, since: performance.now(), received: on.received(), misses: 0 };
      underWay.add(statement);
      schedule();
      return (answered) => {
        underWay.delete(statement);
        if (answered) answers += 1;
      };
    },
    look,
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}

const isDead = (word: Word | null, pid: number | null) =>
  word === null || (word.working !== null && pid !== null && !word.working.has(pid));
