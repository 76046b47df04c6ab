/** The view in the frame of a notebook's widget: `attnviz/view/widget.py` answers for the numbers and shares the place. */

import { LoadError, unpack } from "../core/data.js";
import { mount } from "../main.js";
import { textOf } from "../core/texts.js";
import { Lens } from "../logits/lens.js";
import { Parts } from "../logits/parts.js";
import { Plane } from "../plane/plane.js";
import { Menu } from "../whatif/menu.js";
import { Sweep } from "../whatif/sweep.js";
import { Why } from "../why/why.js";
import { Chips } from "./chips.js";

/** Parts of the view that others fetch when they are first opened. */
const LATER = { logits: { Lens, Parts }, plane: { Plane }, why: { Why } };

/** The traits that say where the view looks. */
const PLACE = ["site", "head", "query", "key", "locked"];

const bytesOf = ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength).slice();

/** Asks Python; the answer has the question's own id, for there may be several views of one model. */
class Kernel {
  constructor(model) {
    this.model = model;
    this.waiting = new Map(); // id -> what to do with the answer
    this.hear = (content, buffers) => {
      const answered = this.waiting.get(content?.id);
      this.waiting.delete(content?.id);
      answered?.(content, buffers);
    };
    model.on("msg:custom", this.hear);
  }

  /** @throws {LoadError} */
  async ask(question) {
    const id = String(Math.random()); // there is no crypto in a page without https
    const [content, buffers] = await new Promise((resolve) => {
      this.waiting.set(id, (...answer) => resolve(answer));
      this.model.send({ ...question, id });
    });
    if (content.error) throw new LoadError(content.error);
    return { content, buffers };
  }
}

/** Numbers of one trace. @implements {Source} @typedef {import("../core/data.js").Source} Source */
class KernelSource {
  /**
   * @param {Kernel} kernel
   * @param {string} trace  its id
   * @param {any} texts
   */
  constructor(kernel, trace, texts, beside = null) {
    this.kernel = kernel;
    this.trace = trace;
    this.texts = texts;
    this.beside = beside;
  }

  async bundle(site, heads, stages) {
    const { buffers } = await this.kernel.ask({ ask: "bundle", trace: this.trace, site: site.name, heads, stages });
    return unpack(bytesOf(buffers[0])).arrays;
  }

  async fetch(rest) {
    const { content } = await this.kernel.ask({ ask: rest, trace: this.trace });
    return { json: async () => ({ ...content.answer, max_abs_error: content.answer.max_abs_error ?? NaN }) };
  }

  lacks() {
    return false;
  }
}

/** The source of a picture's numbers, and of those beside it. */
function sourceOf(kernel, header, arrays, texts) {
  const beside = arrays.has("beside") ? new KernelSource(kernel, unpack(bytesOf(arrays.get("beside").data)).header.trace, texts) : null;
  return new KernelSource(kernel, header.trace, texts, beside);
}

/** Where a state looks, as the traits say it: a query and a key are a place when they are locked. */
function placeOf(state, site) {
  const { head } = state;
  const locked = state.locked && (state.query !== null || state.key !== null); // else a dimension is
  return { site: site.name, head, query: locked ? state.query : null, key: locked ? state.key : null, locked };
}

/** @param {Document} page */
export function open(page) {
  const { frameElement: frame } = /** @type {any} */ (page.defaultView);
  const model = frame.attnvizModel;
  const kernel = new Kernel(model);
  const { texts } = JSON.parse(page.getElementById("attnviz-file").textContent);
  let header = null;
  let store = null;

  /** The view moves: Python hears of it. */
  const tell = (state) => {
    const place = placeOf(state, header.sites[state.site]);
    const changed = PLACE.filter((name) => model.get(name) !== place[name]);
    if (state.side || !changed.length) return; // the other side's places are not those of the trace
    for (const name of changed) model.set(name, place[name]);
    model.save_changes();
  };

  /** Python moves: the view follows. */
  const follow = () => {
    const wanted = Object.fromEntries(PLACE.map((name) => [name, model.get(name)]));
    const now = placeOf(store.state, header.sites[store.state.site]);
    if (PLACE.every((name) => wanted[name] === now[name])) return;
    const site = header.sites.findIndex(({ name }) => name === wanted.site);
    if (site >= 0) store.set({ ...wanted, site, dim: null, wide: null, own: true });
  };

  /** Python runs the model with other edits, or says why not. */
  const change = (question) => kernel.ask(question).then(() => "", ({ message }) => message);
  const setTriggerValue = (ask, edit) => change({ ask, edit }); // the menu asks
  const chips = new Chips(page.getElementById("attnviz"), change, (key) => textOf(texts, key));

  const draw = () => {
    const data = bytesOf(model.get("_picture"));
    const { header: told, arrays } = unpack(data);
    header = told;
    chips.show(told.what_if?.chips ?? [], Boolean(told.what_if?.undo));
    const source = sourceOf(kernel, header, arrays, texts);
    const onStore = (made) => {
      store = made;
      store.subscribe(tell);
    };
    mount({ data, source, onStore, setTriggerValue, whatIf: { Menu, Sweep }, later: LATER, parentElement: page.getElementById("attnviz") });
  };

  draw();
  model.on("change:_picture", draw);
  for (const name of PLACE) model.on(`change:${name}`, follow);
}
