import { render } from "preact";
import { beginSession } from "./data/session.ts";
import { App } from "./shell/app.tsx";
import "./style/colours.css";
import "./style/base.css";
import "./style/controls.css";
import "./style/shell.css";
import "./style/numbers.css";
import "./style/charts.css";
import "./style/panels.css";
import "./style/picker.css";
import "./style/print.css";

void beginSession();
const root = document.getElementById("app");
if (root !== null) render(<App />, root);
