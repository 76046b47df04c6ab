/**
 * Every panel, in the order of the tabs. One entry here is all that a panel needs, and the name of its tab in the
 * catalogues; parameters of its own are told to Python too (LOOK in `attnviz/ui/frame/view.py`; a test says so).
 */

import { oneOf } from "../core/address.js";
import { BesidePanel } from "./beside.js";
import { CodePanel } from "./code.js";
import { DistancesPanel } from "./distances.js";
import { FormulaPanel } from "./formula.js";
import { ImagePanel } from "./image.js";
import { LinesPanel } from "./lines.js";
import { OutputsPanel } from "./outputs.js";
import { ProductPanel } from "./product.js";
import { WhyPanel } from "./why.js";

/** @type {(typeof import("./panel.js").Panel)[]} */
export const PANELS = [BesidePanel, DistancesPanel, ImagePanel, LinesPanel, ProductPanel, WhyPanel, FormulaPanel, OutputsPanel, CodePanel];

/** Keeps the parameters of tabs and panels in the state and in the address. */
export function panelFields(panels = PANELS) {
  const tab = oneOf("", panels.map(({ id }) => id)); // "": the first one that the chosen head has
  return Object.assign({ tab }, ...panels.map(({ fields }) => fields));
}
