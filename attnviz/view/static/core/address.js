/** State <-> the page's URL, leaving other parameters (model, text, language) alone. */

const WAIT_MS = 150;
const SITE = ["layer", "stack", "kind", "part"]; // together they name a site

/**
 * A field of the state that the address carries.
 *
 * @typedef {Object} Field
 * @property {any} start  its value where the address does not name one; it is not written
 * @property {(text: string) => any} read  undefined: the text is none of its values
 * @property {boolean} [isStep]  another value is a step in the browser's history
 */

const written = (value) => String(typeof value === "boolean" ? Number(value) : value);

/** A field with a few values. @returns {Field} */
export const oneOf = (start, values) => ({ start, read: (text) => values.find((value) => written(value) === text) });

/** A page that was saved whole is opened as a file: there the state stands behind the "#", for there is no server to read it. */
const inHash = () => window.location.protocol === "file:";

/** The page of a frame in a notebook has no address of its own to write to. */
const writable = () => ["http:", "https:", "file:"].includes(window.location.protocol);

const parameters = () => new URLSearchParams(inHash() ? window.location.hash.slice(1) : window.location.search);

/**
 * The head and the lock that the URL names, for a page without a server; the payload's own choice where it names none.
 * `choiceState` holds them within the trace.
 */
export function readChoice({ choice, sites }) {
  const found = parameters();
  const names = SITE.filter((name) => found.has(name));
  const site = sites.findIndex((candidate) => names.every((name) => found.get(name) === String(candidate[name])));
  if (!names.length || site === -1) return choice;
  const number = (name) => (/^\d{1,6}$/.test(found.get(name) ?? "") ? Number(found.get(name)) : null);
  return { site, head: number("head") ?? 0, query: number("q"), key: number("k"), locked: found.get("lock") === "1" };
}

/** Writes parameters into the address bar, 150 ms after the last change; others stay as they are. */
export class AddressBar {
  timer = 0;
  forgetIt = () => this.forget();

  /**
   * @param {Record<string, any>} values  null: not in the address
   * @param {(found: URLSearchParams) => void} wrote  hears what the address says now
   * @param {string[]} steps  those of them whose change is a step in the browser's history
   */
  put(values, wrote = () => {}, steps = []) {
    this.forget();
    if (!writable()) return;
    window.addEventListener("attnviz:moved", this.forgetIt); // it belongs to the address that was left
    this.timer = window.setTimeout(() => {
      this.forget();
      const url = new URL(window.location.href);
      const found = inHash() ? new URLSearchParams(url.hash.slice(1)) : url.searchParams;
      const isStep = steps.some((name) => (found.get(name) ?? "") !== String(values[name] ?? ""));
      for (const [name, value] of Object.entries(values)) {
        if (value === null) found.delete(name);
        else found.set(name, String(value));
      }
      if (inHash()) url.hash = found.toString();
      wrote(found);
      if (url.href !== window.location.href) window.history[isStep ? "pushState" : "replaceState"](window.history.state, "", url);
    }, WAIT_MS);
  }

  /** Drops a write that has not happened yet: the page may be another one by then. */
  forget() {
    clearTimeout(this.timer);
    window.removeEventListener("attnviz:moved", this.forgetIt);
  }
}

/** The address of one view: the head, the lock, and the fields that only the browser knows. */
export class Address extends AddressBar {
  /** @param {Record<string, Field>} fields  by their name in the address and in the state */
  constructor(fields) {
    super();
    this.fields = fields;
  }

  /** The values of the fields: those that the URL names, the start of the others. */
  read() {
    const found = parameters();
    const value = (name, { start, read }) => (found.has(name) ? (read(found.get(name)) ?? start) : start);
    return Object.fromEntries(Object.entries(this.fields).map(([name, field]) => [name, value(name, field)]));
  }

  /** The parameters of a state; null: not in the URL. */
  parametersOf(state, site) {
    const { layer, stack, kind } = site;
    const lock = state.locked ? { q: state.query, k: state.key, lock: 1 } : { q: null, k: null, lock: null };
    const own = Object.entries(this.fields).map(([name, { start }]) => [name, state[name] === start ? null : written(state[name])]);
    return { layer, head: state.head, stack, kind, ...lock, part: site.part ?? null, ...Object.fromEntries(own) };
  }

  /** @param {boolean} [isFrozen]  a link that was handed out stays what it is */
  write(state, site, isFrozen = false) {
    const steps = Object.keys(this.fields).filter((name) => this.fields[name].isStep);
    this.put({ ...this.parametersOf(state, site), ...(isFrozen ? { lock: "all" } : {}) }, undefined, steps);
  }
}
