# Ports and background processes for the other scripts of this directory; sourced by them.
# shellcheck shell=bash

process_ids=()

# free_ports COUNT: free ports of 127.0.0.1, below the range from which the system takes ports for outgoing connections.
free_ports() {
  node -e '
    const { createServer } = require("node:net");
    const found = new Set();
    const next = (left) => {
      if (left === 0) return console.log([...found].join(" "));
      const port = 18000 + Math.floor(Math.random() * 12000);
      const server = createServer();
      server.once("error", () => next(left));
      server.listen(port, "127.0.0.1", () => server.close(() => {
        if (found.has(port)) return next(left);
        found.add(port);
        next(left - 1);
      }));
    };
    next(Number(process.argv[1]));
  ' "$1"
}

# background LOG COMMAND…: starts a process that stop_processes ends.
background() {
  local log=$1
  shift
  "$@" >"$log" 2>&1 </dev/null &
  process_ids+=($!)
}

# wait_for URL LOG [CURL OPTION…]: waits until the process started last answers; fails when it has ended, or after four
# minutes.
wait_for() {
  local end=$((SECONDS + 240))
  until curl -sf -m 2 -o /dev/null "${@:3}" "$1"; do
    if ! kill -0 "${process_ids[-1]}" 2>/dev/null || [ "$SECONDS" -ge "$end" ]; then
      echo "no answer from $1; the end of its log:" >&2
      tail -n 30 "$2" >&2
      return 1
    fi
    sleep 0.2
  done
}

# stop_process PID: ends a process and waits for it, at most 20 seconds.
stop_process() {
  local end=$((SECONDS + 20))
  kill "$1" 2>/dev/null || return 0
  while kill -0 "$1" 2>/dev/null && [ "$SECONDS" -lt "$end" ]; do sleep 0.1; done
  kill -9 "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
}

stop_processes() {
  local pid
  for pid in ${process_ids[@]+"${process_ids[@]}"}; do kill "$pid" 2>/dev/null || true; done
  for pid in ${process_ids[@]+"${process_ids[@]}"}; do stop_process "$pid"; done
  process_ids=()
}
