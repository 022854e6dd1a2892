import { useMemo, useState } from "preact/hooks";
import type { Granularity } from "../data/answers.ts";
import type { Figure } from "./exploration.ts";
import { exploreText as x } from "./explore-text.ts";
import { columnsPath, type Facet, type Facets } from "./facets.ts";
import { clockText, figureText, partText } from "./row-text.ts";

export interface FacetsChartProps {
  readonly facets: Facets;
  readonly figure: Figure;
  readonly currency: string;
  readonly granularity: Granularity;
}

interface Pointed {
  /** The picture's: another figure's pictures are others. */
  readonly key: string;
  readonly at: number;
}

/** A small picture for each value, side by side in one scale: what differs is seen without a colour for each. In numbers it is the table. */
export function FacetsChart({ facets, figure, currency, granularity }: FacetsChartProps) {
  const [pointed, setPointed] = useState<Pointed>();
  const shown = facets.facets.find(({ key }) => key === pointed?.key);
  const text = (value: number | null | undefined) => figureText(figure, value, currency);
  const stepText = (at: number) => {
    const row = facets.steps[at];
    return row === undefined ? "" : clockText(row, facets.across, granularity);
  };
  const nameOf = ({ row, named, value }: Facet) =>
    [
      ...named.map((dimension) => clockText(row, dimension, granularity)),
      ...(value === undefined ? [] : [partText(value)]),
    ].join(" · ");
  return (
    <>
      <p class="readout">
        {pointed === undefined || shown === undefined
          ? x("facets.scale", { most: text(facets.highest) })
          : `${nameOf(shown)} · ${stepText(pointed.at)}: ${text(shown.values[pointed.at])}`}
      </p>
      <div class="facets" onPointerLeave={(event) => event.pointerType === "mouse" && setPointed(undefined)}>
        {facets.facets.map((facet) => {
          const most = mostOf(facet);
          const about = facet.sum === undefined ? x("facet.most", { most: text(facet.values[most]) }) : text(facet.sum);
          return (
            <figure key={facet.key}>
              <figcaption>
                <span>{nameOf(facet)}</span>
                <span class="figure-detail">{about}</span>
              </figcaption>
              <Columns
                facet={facet}
                facets={facets}
                label={x("facet.label", {
                  name: nameOf(facet),
                  about,
                  at: stepText(most),
                  most: text(facet.values[most]),
                })}
                pointed={pointed?.key === facet.key ? pointed.at : undefined}
                onPoint={(at) => {
                  if (pointed?.key !== facet.key || pointed.at !== at) setPointed({ key: facet.key, at });
                }}
              />
              <div class="facet-steps" aria-hidden="true">
                <span>{stepText(0)}</span>
                <span>{stepText(facets.steps.length - 1)}</span>
              </div>
            </figure>
          );
        })}
      </div>
      {facets.left > 0 && (
        <p class="quiet-note">
          {x("facets.left", { count: facets.facets.length, all: facets.facets.length + facets.left })}
        </p>
      )}
    </>
  );
}

function mostOf({ values }: Facet): number {
  return values.reduce<number>((most, value, at) => ((value ?? 0) > (values[most] ?? 0) ? at : most), 0);
}

interface ColumnsProps {
  readonly facet: Facet;
  readonly facets: Facets;
  readonly label: string;
  readonly pointed: number | undefined;
  readonly onPoint: (at: number) => void;
}

function Columns({ facet, facets, label, pointed, onPoint }: ColumnsProps) {
  const steps = facets.steps.length;
  const path = useMemo(() => columnsPath(facet.values, facets), [facet, facets]);
  const zero = (facets.highest / (facets.highest - facets.lowest || 1)) * 100;
  const onPointer = ({ clientX, currentTarget }: PointerEvent & { readonly currentTarget: Element }) => {
    const { left, width } = currentTarget.getBoundingClientRect();
    onPoint(Math.min(Math.max(Math.floor(((clientX - left) / width) * steps), 0), steps - 1));
  };
  return (
    <svg
      role="img"
      aria-label={label}
      viewBox={`0 0 ${steps} 100`}
      preserveAspectRatio="none"
      onPointerDown={onPointer}
      onPointerMove={onPointer}
    >
      {pointed !== undefined && <rect x={pointed} y="0" width="1" height="100" />}
      <path d={path} />
      <line x1="0" x2={steps} y1={zero} y2={zero} />
    </svg>
  );
}
