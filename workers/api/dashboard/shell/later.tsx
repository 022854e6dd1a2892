import { type ComponentType, h } from "preact";
import { useEffect, useState } from "preact/hooks";
import { FailurePanel } from "./failure-panel.tsx";
import { Waiting } from "./waiting.tsx";

/** A component that is loaded when it is first shown, and known from then on. */
export function later<Props extends object>(load: () => Promise<ComponentType<Props>>): ComponentType<Props> {
  let loaded: ComponentType<Props> | undefined;
  return function Later(props: Props) {
    const [state, setState] = useState<"loading" | "loaded" | "failed">("loading");
    useEffect(() => {
      if (loaded !== undefined) return;
      load().then(
        (component) => {
          loaded = component;
          setState("loaded");
        },
        () => setState("failed"),
      );
    }, []);
    if (loaded !== undefined) return h(loaded, props);
    // A browser remembers that a script could not be had: only the page loaded anew tries again. So it is after a deployment, too.
    if (state === "failed")
      return <FailurePanel failure={{ reason: "unreachable" }} onRetry={() => location.reload()} />;
    return <Waiting />;
  };
}
