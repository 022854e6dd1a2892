import type uPlot from "uplot";
import { type Extent, panned, type Stretch, zoomed } from "./zoom.ts";

const WHEEL_ZOOM_PER_PX = 0.002;

export interface Moves {
  readonly seen: () => Stretch;
  readonly all: () => Extent;
  readonly see: (stretch: Stretch) => void;
  readonly open: () => void;
}

/**
 * The wheel sideways, and dragging with shift, move; the wheel with control, as pinching on a pad is told, zooms. Dragging zooms by itself. A click opens what is
 * pointed at; a finger only reads it, and finds the way there beside what it reads.
 */
export function bindPointer(plot: uPlot, { seen, all, see, open }: Moves): () => void {
  const { over } = plot;
  const onWheel = (event: WheelEvent) => {
    const isZoom = event.ctrlKey;
    if (!isZoom && Math.abs(event.deltaX) <= Math.abs(event.deltaY)) return;
    event.preventDefault();
    if (isZoom)
      see(zoomed(seen(), Math.exp(event.deltaY * WHEEL_ZOOM_PER_PX), plot.posToVal(event.offsetX, "x"), all()));
    else see(panned(seen(), event.deltaX / over.clientWidth, all()));
  };
  const onMove = (event: PointerEvent) => {
    if (event.shiftKey && event.buttons === 1) see(panned(seen(), -event.movementX / over.clientWidth, all()));
  };
  let isFinger = false;
  const onDown = (event: PointerEvent) => {
    isFinger = event.pointerType === "touch";
  };
  // The chart itself keeps back the click that ends a drag.
  const onClick = (event: MouseEvent) => {
    if (!isFinger && !event.shiftKey) open();
  };
  over.addEventListener("pointerdown", onDown);
  over.addEventListener("click", onClick);
  over.addEventListener("wheel", onWheel, { passive: false });
  over.addEventListener("pointermove", onMove);
  return () => {
    over.removeEventListener("pointerdown", onDown);
    over.removeEventListener("click", onClick);
    over.removeEventListener("wheel", onWheel);
    over.removeEventListener("pointermove", onMove);
  };
}
