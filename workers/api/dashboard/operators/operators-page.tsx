import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import { linkTo, own } from "../address/address.ts";
import { Link } from "../shell/link.tsx";
import "../style/forms.css";
import "../style/lists.css";
import "../style/operators.css";
import { HealthPart } from "./health-part.tsx";
import { LogPart } from "./log-part.tsx";
import { MerchantsPart } from "./merchants-part.tsx";
import { operatorsText as o } from "./operators-text.ts";
import { ReplaysPart } from "./replays-part.tsx";
import { SourcesPart } from "./sources-part.tsx";

const PARTS = {
  health: HealthPart,
  replays: ReplaysPart,
  merchants: MerchantsPart,
  sources: SourcesPart,
  log: LogPart,
} as const satisfies Readonly<Record<string, ComponentType>>;
type Part = keyof typeof PARTS;
const NAMES = Object.keys(PARTS) as Part[];

/** How the pipeline is, and what operators do about it. */
export function OperatorsPage() {
  const part = NAMES.find((name) => name === own.value.part) ?? "health";
  const Body = PARTS[part];
  useEffect(() => {
    // On a phone the parts' names have no room: the one that is open is scrolled to.
    document.querySelector(".parts [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [part]);
  return (
    <>
      <h1>{o("title")}</h1>
      <nav class="parts" aria-label={o("parts")}>
        {NAMES.map((name) => (
          <Link
            key={name}
            to={linkTo("operators", {}, { part: name === "health" ? undefined : name })}
            isCurrent={name === part}
          >
            {o(name)}
          </Link>
        ))}
      </nav>
      <p class="quiet-note">{o("utc")}</p>
      <Body />
    </>
  );
}
