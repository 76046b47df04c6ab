/** State <-> the page's URL, leaving other parameters (model, text, language) alone. */

const TABS = new Set(["image", "lines", "product", "formula", "outputs", "code"]);
const HIDE = new Set(["none", "first", "specials"]);
const PAIRS = new Set(["aa", "ab", "ba", "bb"]);
const SCALES = new Set(["one", "contrast"]);
const WAIT_MS = 150;

/** Percent of each row's mass that the lines keep until somebody moves the slider. */
export const KEEP = 70;

/** A page that was saved whole is opened as a file: there the state stands behind the "#", for there is no server to read it. */
const inHash = () => window.location.protocol === "file:";

/** The page of a frame in a notebook has no address of its own to write to. */
const writable = () => ["http:", "https:", "file:"].includes(window.location.protocol);

const written = () => (inHash() ? window.location.hash.slice(1) : window.location.search);

/**
 * What the URL says of the parts that only the browser knows; the head and the lock come from the payload's choice.
 * @returns {Partial<import("./store.js").State>}
 */
export function readUrl() {
  const parameters = new URLSearchParams(written());
  const found = {};
  if (TABS.has(parameters.get("tab"))) found.tab = parameters.get("tab");
  if (HIDE.has(parameters.get("hide"))) found.hide = parameters.get("hide");
  if (parameters.get("words") === "1") found.words = true;
  if (PAIRS.has(parameters.get("pair"))) found.pair = parameters.get("pair");
  if (SCALES.has(parameters.get("scale"))) found.scale = parameters.get("scale");
  if (/^\d{1,4}(,\d{1,4})*$/.test(parameters.get("heads"))) found.heads = parameters.get("heads");
  const keep = parameters.get("keep");
  if (/^(\d{1,2}(\.\d*)?|100)$/.test(keep)) found.keep = Number(keep);
  return found;
}

/**
 * The head and the lock that the URL names, for a page without a server; the payload's own choice where it names none.
 * `choiceState` holds them within the trace.
 */
export function readChoice({ choice, sites }) {
  const parameters = new URLSearchParams(written());
  const names = ["layer", "stack", "kind", "part"].filter((name) => parameters.has(name));
  const site = sites.findIndex((candidate) => names.every((name) => parameters.get(name) === String(candidate[name])));
  if (!names.length || site === -1) return choice;
  const number = (name) => (/^\d{1,6}$/.test(parameters.get(name)) ? Number(parameters.get(name)) : null);
  return { site, head: number("head") ?? 0, query: number("q"), key: number("k"), locked: parameters.get("lock") === "1" };
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
    part: site.part ?? null,
    tab: state.tab || null,
    hide: state.hide === "none" ? null : state.hide,
    words: state.words ? 1 : null,
    pair: state.pair || null,
    scale: state.scale || null,
    heads: state.heads || null,
    keep: state.keep === KEEP ? null : state.keep,
  };
}

let timer = 0;

/** Writes the state into the address bar, 150 ms after the last change. */
export function writeUrl(state, site) {
  clearTimeout(timer);
  if (!writable()) return;
  timer = setTimeout(() => {
    const url = new URL(window.location.href);
    const parameters = inHash() ? new URLSearchParams(url.hash.slice(1)) : url.searchParams;
    for (const [name, value] of Object.entries(toParameters(state, site))) {
      if (value === null) parameters.delete(name);
      else parameters.set(name, String(value));
    }
    if (inHash()) url.hash = parameters.toString();
    if (url.href !== window.location.href) window.history.replaceState(window.history.state, "", url);
  }, WAIT_MS);
}

/** Drops a write that has not happened yet: the page may be another one by then. */
export function forgetUrl() {
  clearTimeout(timer);
}
