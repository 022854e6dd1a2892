import uPlot from "uplot";
import { axisTime } from "../text/format.ts";
import { language } from "../text/preferences.ts";
import { timeSteps, VALUE_STEPS } from "./axis-steps.ts";
import type { Palette } from "./palette.ts";
import { zoneDate } from "./zone-date.ts";
import type { Stretch } from "./zoom.ts";

export interface ChartPoint {
  /** Where on the axis, epoch milliseconds. */
  readonly atMs: number;
  /** `null` where there is none: later than now, or an average of nothing. */
  readonly value: number | null;
  readonly base: number | null;
  /** Not complete yet: drawn as preliminary. */
  readonly isOpen: boolean;
  readonly isRevised: boolean;
}

export interface PlotOptions {
  readonly zone: string;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly palette: () => Palette;
  /** What of the axis is shown. */
  readonly seen: () => Stretch;
  readonly points: () => readonly ChartPoint[];
  readonly axisValue: (value: number) => string;
  readonly onCursor: (index: number | null) => void;
  /** It is drawn, and has a scale: before, no value has a place. */
  readonly onReady: () => void;
  /** A stretch was dragged over. */
  readonly onSelect: (stretch: Stretch) => void;
}

const HEAD_ROOM = 1.08;
/** The top of the axis where there is nothing at all. */
const FLAT = 1;
const AXIS_FONT = "12px system-ui, sans-serif";
const MARK_PX = 5;
/** Of the base, of what is complete, and of what is still filling. */
const LINES_PX = [1.5, 2, 2];
/** Where points stand closer together than this, lines are a pixel wide: they can be told apart, and are drawn in a tenth of the time (docs/decisions/0064). */
const DENSE_POINTS_A_PX = 0.4;
const DENSE_LINE_PX = 1;

/** Columns as the chart takes them: times, the base, what is complete, and what is still filling (with the point before, so that the line goes on). */
export function columnsOf(points: readonly ChartPoint[]): uPlot.AlignedData {
  const open = points.findIndex(({ isOpen, value }) => isOpen && value !== null);
  const firstOpen = open < 0 ? points.length : open;
  return [
    points.map(({ atMs }) => atMs / 1000),
    points.map(({ base }) => base),
    points.map(({ value }, at) => (at < firstOpen ? value : null)),
    points.map(({ value }, at) => (at >= firstOpen - 1 ? value : null)),
  ];
}

/** `then` is given what draws it for the first time, which takes longer than to make it. */
export function makePlot(options: PlotOptions, then: (plot: uPlot, draw: () => void) => void): uPlot {
  const { palette, zone, axisValue } = options;
  return new uPlot(
    {
      width: options.widthPx,
      height: options.heightPx,
      padding: [10, 22, 0, 0],
      tzDate: (seconds) => zoneDate(zone, seconds),
      legend: { show: false },
      cursor: {
        y: false,
        points: { size: 9, width: 2, stroke: () => palette().line, fill: () => palette().ground },
        drag: { x: true, y: false, dist: 6, setScale: false },
        bind: {
          mousedown: (_, __, handler) => (event) => (event.shiftKey ? null : handler(event)),
          dblclick: () => () => null,
        },
      },
      scales: {
        x: { time: true, range: () => [options.seen().min, options.seen().max] },
        y: { range: (_, min, max) => [Math.min(0, min ?? 0), Math.max(0, max ?? 0) * HEAD_ROOM || FLAT] },
      },
      axes: [
        {
          stroke: () => palette().text,
          font: AXIS_FONT,
          size: 30,
          grid: { show: false },
          ticks: { stroke: () => palette().grid, size: 5 },
          space: language.value === "ja" ? 80 : 70,
          incrs: () =>
            timeSteps(
              options
                .points()
                .slice(0, 2)
                .map(({ atMs }) => atMs),
            ),
          values: (_, splits, __, ___, stepS) => splits.map((seconds) => axisTime(seconds * 1000, zone, stepS * 1000)),
        },
        {
          stroke: () => palette().text,
          font: AXIS_FONT,
          size: (_, values) => 14 + 7 * Math.max(3, ...(values ?? []).map((value) => value.length)),
          space: 44,
          incrs: VALUE_STEPS,
          grid: { stroke: () => palette().grid, width: 1 },
          ticks: { show: false },
          values: ({ scales }, splits) =>
            splits.map((value) => (scales.y?.max === FLAT && value > 0 ? "" : axisValue(value))),
        },
      ],
      series: [
        {},
        { stroke: () => palette().base, points: { show: false }, spanGaps: true },
        {
          stroke: () => palette().line,
          fill: () => palette().fill,
          // A point alone has no line.
          points: { show: () => options.points().length === 1, size: 8, fill: () => palette().line },
        },
        { stroke: () => palette().line, fill: () => palette().fill, dash: [4, 4], points: { show: false } },
      ],
      hooks: {
        drawClear: [setLineWidths],
        ready: [options.onReady],
        setCursor: [(plot) => options.onCursor(plot.cursor.idx ?? null)],
        setSelect: [(plot) => selectStretch(plot, options.onSelect)],
        draw: [(plot) => drawMarks(plot, options)],
      },
    },
    columnsOf(options.points()),
    (plot, draw) => then(plot, () => draw()),
  );
}

function setLineWidths({ series, width }: uPlot): void {
  const [from, to] = series[0]?.idxs ?? [0, 0];
  const isDense = to - from > width * DENSE_POINTS_A_PX;
  for (const [at, px] of LINES_PX.entries()) {
    const line = series[at + 1];
    if (line !== undefined) line.width = isDense ? DENSE_LINE_PX : px;
  }
}

function selectStretch(plot: uPlot, onSelect: PlotOptions["onSelect"]): void {
  const { left, width } = plot.select;
  if (width === 0) return;
  onSelect({ min: plot.posToVal(left, "x"), max: plot.posToVal(left + width, "x") });
  plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
}

/** A dot at the present end of the line, and a wedge below what was revised. */
function drawMarks(plot: uPlot, { palette, points }: PlotOptions): void {
  const { ctx, bbox } = plot;
  const { line, mark, ground } = palette();
  const ratio = devicePixelRatio;
  const { min = 0, max = 0 } = plot.scales.x ?? {};
  ctx.save();
  ctx.setLineDash([]);
  ctx.fillStyle = mark;
  for (const { atMs, isRevised } of points()) {
    if (!isRevised || atMs / 1000 < (min ?? 0) || atMs / 1000 > (max ?? 0)) continue;
    const x = plot.valToPos(atMs / 1000, "x", true);
    const y = bbox.top + bbox.height;
    ctx.beginPath();
    ctx.moveTo(x, y - MARK_PX * ratio);
    ctx.lineTo(x - MARK_PX * ratio, y + MARK_PX * ratio);
    ctx.lineTo(x + MARK_PX * ratio, y + MARK_PX * ratio);
    ctx.fill();
  }
  const last = points().findLast(({ value }) => value !== null);
  if (last?.isOpen && last.value !== null && last.atMs / 1000 <= (max ?? 0)) {
    ctx.beginPath();
    ctx.arc(
      plot.valToPos(last.atMs / 1000, "x", true),
      plot.valToPos(last.value, "y", true),
      4.5 * ratio,
      0,
      2 * Math.PI,
    );
    ctx.fillStyle = line;
    ctx.fill();
    ctx.lineWidth = 2 * ratio;
    ctx.strokeStyle = ground;
    ctx.stroke();
  }
  ctx.restore();
}
