import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { zoom, zoomTo } from "../address/address.ts";
import { inTurn } from "../shell/in-turn.tsx";
import { language } from "../text/preferences.ts";
import { t } from "../text/text.ts";
import { onPaletteChange, readPalette } from "./palette.ts";
import { type PerFrame, perFrame } from "./per-frame.ts";
import { type ChartPoint, columnsOf, makePlot } from "./plot.ts";
import { bindPointer } from "./pointer.ts";
import { type Extent, panned, parseZoom, partOf, type Stretch, zoomed, zoomText } from "./zoom.ts";

export interface TimeChartProps {
  /** What the line is of. */
  readonly label: string;
  readonly zone: string;
  readonly points: readonly ChartPoint[];
  readonly all: Extent;
  readonly axisValue: (value: number) => string;
  /** A point in words. */
  readonly valueText: (index: number) => string;
  /** What is pointed at: by the pointer, or by the keyboard. */
  readonly onPoint: (index: number | null) => void;
  /** Leads to what a point is made of. */
  readonly onOpen: (index: number) => void;
}

const ZOOM = 0.5;
const STEP = 0.25;

/**
 * A line over time beside its base. A slider to the keyboard and to a screen reader: its value is a point, in words.
 */
export function TimeChart({ label, zone, points, all, axisValue, valueText, onPoint, onOpen }: TimeChartProps) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const scale = useRef<PerFrame>(undefined);
  const [at, setAt] = useState<number | null>(null);
  const atNow = useRef(at);
  atNow.current = at;
  /** What is zoomed to, finer than the address has it; `undefined` for all there is. */
  const part = useRef(useMemo(() => parseZoom(zoom.peek(), all), []));
  const [isZoomed, setZoomed] = useState(part.current !== undefined);
  // What the chart's own callbacks see: always the latest.
  const now = useRef({ points, all, axisValue, onPoint, onOpen });
  now.current = { points, all, axisValue, onPoint, onOpen };

  /** The chart, once it is drawn. A key, new numbers, a zoom may come before: it then begins with them, and must not be told, which would have it draw without a size. */
  const drawn = () => (plot.current?.status === 1 ? plot.current : undefined);
  const seen = (): Stretch => part.current ?? now.current.all;
  const zoomTextNow = () => part.current && zoomText(part.current);
  const take = (stretch: Stretch | undefined) => {
    part.current = stretch;
    setZoomed(stretch !== undefined);
    scale.current?.ask();
  };
  const see = (stretch: Stretch | undefined) => {
    take(stretch && partOf(stretch, now.current.all));
    zoomTo(zoomTextNow());
  };
  /** What the address says is shown, whoever changed it: the browser's back, a link, or this line. */
  const follow = () => {
    const linked = parseZoom(zoom.peek(), now.current.all);
    if ((linked && zoomText(linked)) !== zoomTextNow()) take(linked);
  };
  useEffect(() => zoom.subscribe(follow), []);

  const attach = (element: HTMLDivElement) => {
    let palette = readPalette(element);
    let pointed: number | null = null;
    let leaveTurn = () => {};
    const madeOf = now.current.points;
    const tell = perFrame(() => {
      setAt(pointed);
      now.current.onPoint(pointed);
    });
    const made = makePlot(
      {
        zone,
        ...sizeOf(element),
        palette: () => palette,
        seen,
        points: () => now.current.points,
        axisValue: (value) => now.current.axisValue(value),
        onCursor: (index) => {
          if (index === pointed) return;
          pointed = index;
          tell.ask();
        },
        onReady: () => {
          // Told from within its first drawing, it would take new numbers and not draw them but in a batch.
          if (now.current.points !== madeOf) made.batch(() => made.setData(columnsOf(now.current.points)));
          showCursor(atNow.current);
        },
        onSelect: (stretch) => see(zoomed(stretch, 1, (stretch.min + stretch.max) / 2, now.current.all)),
      },
      (made, draw) => {
        leaveTurn = inTurn(() => {
          element.append(made.root);
          draw();
          resize.observe(element);
        });
      },
    );
    plot.current = made;
    scale.current = perFrame(() => drawn()?.batch((chart: uPlot) => chart.setScale("x", seen())));
    const leavePointer = bindPointer(made, {
      ...{ seen, all: () => now.current.all, see },
      open: () => {
        const pointed = made.cursor.idx;
        if (pointed != null) now.current.onOpen(pointed);
      },
    });
    const leavePalette = onPaletteChange(() => {
      palette = readPalette(element);
      drawn()?.redraw();
    });
    const resize = new ResizeObserver(() => {
      const { widthPx: width, heightPx: height } = sizeOf(element);
      // Told when it begins to observe, too: what has its size need not be drawn again.
      if (width !== made.width || height !== made.height) made.setSize({ width, height });
    });
    return () => {
      leaveTurn();
      tell.stop();
      scale.current?.stop();
      resize.disconnect();
      leavePalette();
      leavePointer();
      made.destroy();
      plot.current = undefined;
    };
  };
  useEffect(() => {
    const element = host.current;
    if (element === null) return;
    let detach: (() => void) | undefined;
    const leave = inTurn(() => {
      detach = attach(element);
    });
    return () => {
      leave();
      detach?.();
    };
  }, [zone, language.value]);

  useEffect(() => {
    follow();
    drawn()?.setData(columnsOf(points));
  }, [points, all]);

  const showCursor = (index: number | null) => {
    const made = drawn();
    const shown = index === null ? undefined : now.current.points[index];
    if (made === undefined || shown === undefined) return;
    made.setCursor({ left: made.valToPos(shown.atMs / 1000, "x"), top: 0 });
  };
  const point = (index: number) => {
    const last = points.findLastIndex(({ value, base }) => value !== null || base !== null);
    const to = Math.max(0, Math.min(index, last));
    const shown = points[to];
    if (shown === undefined) return;
    const seconds = shown.atMs / 1000;
    const { min, max } = seen();
    if (seconds < min || seconds > max) {
      see(panned(seen(), (seconds - (min + max) / 2) / (max - min), all));
      scale.current?.now();
    }
    showCursor(to);
    setAt(to);
    onPoint(to);
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const from = at ?? points.findLastIndex(({ value }) => value !== null);
    const middle = (points[from]?.atMs ?? 0) / 1000;
    const actions: Record<string, () => void> = {
      ArrowLeft: () => (event.shiftKey ? see(panned(seen(), -STEP, all)) : point(from - 1)),
      ArrowRight: () => (event.shiftKey ? see(panned(seen(), STEP, all)) : point(from + 1)),
      Home: () => point(0),
      End: () => point(points.length - 1),
      "+": () => see(zoomed(seen(), ZOOM, middle, all)),
      "=": () => see(zoomed(seen(), ZOOM, middle, all)),
      "-": () => see(zoomed(seen(), 1 / ZOOM, middle, all)),
      Enter: () => onOpen(from),
      Escape: () => see(undefined),
    };
    const action = actions[event.key];
    if (action === undefined) return;
    event.preventDefault();
    action();
  };

  const shownAt = at ?? points.findLastIndex(({ value }) => value !== null);
  const centre = () => (seen().min + seen().max) / 2;
  return (
    <div class="chart">
      <div
        ref={host}
        class="chart-plot"
        role="slider"
        tabIndex={0}
        aria-label={label}
        aria-describedby="chart-help"
        aria-valuemin={0}
        aria-valuemax={Math.max(points.length - 1, 0)}
        aria-valuenow={Math.max(shownAt, 0)}
        aria-valuetext={shownAt < 0 ? "" : valueText(shownAt)}
        onKeyDown={onKeyDown}
      />
      <p id="chart-help" class="visually-hidden">
        {t("chart.help")}
      </p>
      <div class="chart-zoom no-print">
        <button
          type="button"
          class="quiet"
          aria-label={t("chart.zoom_in")}
          onClick={() => see(zoomed(seen(), ZOOM, centre(), all))}
        >
          +
        </button>
        <button
          type="button"
          class="quiet"
          aria-label={t("chart.zoom_out")}
          disabled={!isZoomed}
          onClick={() => see(zoomed(seen(), 1 / ZOOM, centre(), all))}
        >
          −
        </button>
        {isZoomed && (
          <button type="button" class="quiet" onClick={() => see(undefined)}>
            {t("chart.all")}
          </button>
        )}
      </div>
    </div>
  );
}

const WIDTH_PX_MIN = 120;

const sizeOf = ({ clientWidth, clientHeight }: HTMLElement) => ({
  widthPx: Math.max(clientWidth, WIDTH_PX_MIN),
  heightPx: clientHeight,
});
