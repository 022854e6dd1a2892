import { useEffect, useState } from "preact/hooks";
import { WINDOW_MS } from "../../../../shared/window.ts";
import type { WindowReport } from "./answers.ts";
import { ask, lastAnswerMs, reachable } from "./request.ts";

export interface LiveWindow {
  readonly start: string;
  readonly end: string;
  readonly status: "open" | "provisional" | "final";
  readonly reports: readonly WindowReport[];
}

/** What the stream tells (workers/api/live/present-live.ts): a snapshot has `windows`, a change of one its `window`. */
interface LiveUpdate {
  readonly as_of: string;
  readonly complete_through: string;
  readonly today: { readonly start: string; readonly reports: readonly WindowReport[] };
  readonly windows?: readonly LiveWindow[];
  readonly window?: LiveWindow;
}

export interface Live {
  readonly state: "connecting" | "live" | "lost";
  /** What was told last; `undefined` before anything was. */
  readonly asOf: string | undefined;
  readonly completeThrough: string | undefined;
  readonly today: LiveUpdate["today"] | undefined;
  /** Windows told of since the page listens, by their start. */
  readonly windows: ReadonlyMap<string, LiveWindow>;
  /** How often it was told that something before these windows had changed. */
  readonly corrections: number;
}

const EVENTS = ["snapshot", "window", "today"] as const;
const AGAIN_MS = 5_000;
/** Of each window it is told when it begins and ends: a stream that says nothing for longer is dead, whatever the network makes of it. */
const SILENCE_MS_MAX = 1.5 * WINDOW_MS;
const NOTHING: Live = {
  state: "connecting",
  asOf: undefined,
  completeThrough: undefined,
  today: undefined,
  windows: new Map(),
  corrections: 0,
};

/** Listens to a merchant's day while a component shows it. What is told is absolute, so that a stream that broke off goes on with the next. */
export function useLive(merchantId: string, zone: string): Live {
  const [live, setLive] = useState(NOTHING);
  useEffect(() => {
    setLive(NOTHING);
    const path = `/v1/merchants/${merchantId}/live?tz=${encodeURIComponent(zone)}`;
    let source: EventSource | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let silence: ReturnType<typeof setTimeout> | undefined;
    const heard = () => {
      clearTimeout(silence);
      silence = setTimeout(() => {
        source?.close();
        setLive((before) => ({ ...before, state: "lost" }));
        open();
      }, SILENCE_MS_MAX);
    };
    const take = ({ data }: MessageEvent<string>) => {
      heard();
      const update = JSON.parse(data) as LiveUpdate;
      reachable.value = true;
      lastAnswerMs.value = Date.now();
      setLive((before) => next(before, update));
    };
    const open = () => {
      heard();
      source = new EventSource(path);
      for (const name of EVENTS) source.addEventListener(name, take);
      source.addEventListener("open", () => setLive((before) => ({ ...before, state: "live" })));
      source.addEventListener("error", () => {
        setLive((before) => ({ ...before, state: "lost" }));
        if (source?.readyState !== EventSource.CLOSED) return;
        // Refused, and a stream does not say why: an ordinary request finds out that the session has ended.
        void ask("/v1/session");
        timer = setTimeout(open, AGAIN_MS);
      });
    };
    open();
    return () => {
      clearTimeout(timer);
      clearTimeout(silence);
      source?.close();
    };
  }, [merchantId, zone]);
  return live;
}

function next(before: Live, { as_of, complete_through, today, windows = [], window }: LiveUpdate): Live {
  const told = window === undefined ? windows : [window];
  const isNewDay = before.today !== undefined && before.today.start !== today.start;
  const kept = isNewDay ? [] : before.windows;
  return {
    state: "live",
    asOf: as_of,
    completeThrough: complete_through,
    today,
    windows: new Map([...kept, ...told.map((one) => [one.start, one] as const)]),
    corrections: before.corrections + (told.length === 0 ? 1 : 0),
  };
}
