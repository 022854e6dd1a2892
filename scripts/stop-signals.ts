/** Of a terminal's Ctrl-C, of whoever ends processes politely, and of a terminal that is closed. */
export type StopSignal = "SIGINT" | "SIGTERM" | "SIGHUP";
/** As shells have it for Ctrl-C, whichever signal it was. */
export const INTERRUPTED_EXIT_CODE = 130;

export interface StopSignals {
  /** Takes other handlers off: Miniflare's, set when it starts, would end the process at once, with all it had to say and ClickHouse still writing. */
  takeOver(): void;
}

/** The first signal calls `onStop`, a second one ends the process at once. */
export function onStopSignals(signals: readonly StopSignal[], onStop: () => void): StopSignals {
  let isStopping = false;
  const onSignal = () => {
    if (isStopping) process.exit(INTERRUPTED_EXIT_CODE);
    isStopping = true;
    onStop();
  };
  for (const signal of signals) process.on(signal, onSignal);
  return {
    takeOver: () => {
      for (const signal of signals) {
        for (const other of process.listeners(signal)) if (other !== onSignal) process.removeListener(signal, other);
      }
    },
  };
}
