/** State <-> the page's URL, leaving other parameters (model, text, language) alone. */

const TABS = new Set(["lines", "product", "formula", "outputs", "code"]);
const HIDE = new Set(["none", "first", "specials"]);
const WAIT_MS = 150;

/** Percent of each row's mass that the lines keep until somebody moves the slider. */
export const KEEP = 70;

/**
 * What the URL says of the parts that only the browser knows; the head and the lock come from the payload's choice.
 * @returns {Partial<import("./store.js").State>}
 */
export function readUrl(search = window.location.search) {
  const parameters = new URLSearchParams(search);
  const found = {};
  if (TABS.has(parameters.get("tab"))) found.tab = parameters.get("tab");
  if (HIDE.has(parameters.get("hide"))) found.hide = parameters.get("hide");
  const keep = Number(parameters.get("keep"));
  if (parameters.has("keep") && keep >= 0 && keep <= 100) found.keep = keep;
  return found;
}

/** The parameters of a state; null: not in the URL. */
function toParameters(state, site) {
  return {
    layer: site.layer,
    head: state.head,
    stack: site.stack,
    kind: site.kind,
    q: state.locked ? state.query : null,
    k: state.locked ? state.key : null,
    lock: state.locked ? 1 : null,
    tab: state.tab === "lines" ? null : state.tab,
    hide: state.hide === "none" ? null : state.hide,
    keep: state.keep === KEEP ? null : state.keep,
  };
}

let timer = 0;

/** Writes the state into the address bar, 150 ms after the last change. */
export function writeUrl(state, site) {
  clearTimeout(timer);
  timer = setTimeout(() => {
    const url = new URL(window.location.href);
    for (const [name, value] of Object.entries(toParameters(state, site))) {
      if (value === null) url.searchParams.delete(name);
      else url.searchParams.set(name, String(value));
    }
    if (url.href !== window.location.href) window.history.replaceState(window.history.state, "", url);
  }, WAIT_MS);
}

/** Drops a write that has not happened yet: the page may be another one by then. */
export function forgetUrl() {
  clearTimeout(timer);
}
