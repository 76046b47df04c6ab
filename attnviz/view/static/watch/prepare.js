/** Fetches what the view of a run is made of while there is no run yet, so that its first picture is there at once. */

import { textsAt } from "../core/texts.js";
import { loadPlotly } from "./plot.js";

/** As `mount` of watch.js; shows nothing. */
export function mount({ data }) {
  textsAt(data.texts);
  // what fails here fails again where it is needed, and is told there
  loadPlotly(data.plotly).catch(() => undefined);
  return () => undefined;
}
