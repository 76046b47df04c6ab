/** The view of a model without attention: its answer, and what shows it on a wall, in a frame or elsewhere. */

import { Answer } from "./answer/answer.js";
import answerCss from "./answer/answer.css";
import { Address } from "./core/address.js";
import { TraceData, unpack } from "./core/data.js";
import { el } from "./core/dom.js";
import { fmt, full } from "./core/format.js";
import { View } from "./core/frame.js";
import { createStore } from "./core/store.js";
import { textsAt } from "./core/texts.js";
import viewCss from "./core/view.css";
import panelsCss from "./panels/panels.css";
import { SHOW_FIELDS } from "./show/links.js";
import { Show } from "./show/show.js";
import showCss from "./show/show.css";

const NOWHERE = { layer: null, stack: null, kind: null };

/** Whether a payload is of a model with attention. */
export const attends = (data) => unpack(data).header.sites.length > 0;

export class Plain extends View {
  constructor(component) {
    super(component, "attnviz", [viewCss, panelsCss, answerCss, showCss]);
    const { present, show } = SHOW_FIELDS;
    this.address = new Address({ present, show });
    this.store = createStore(/** @type {any} */ ({ site: -1, head: null, query: null, key: null, locked: false, ...this.address.read() }));
    this.store.subscribe((state, changed) => this.update(state, changed));
    this.take(component);
  }

  take(component) {
    this.data = new TraceData(component.data, () => {}, component.source);
    this.open(textsAt(this.data.header.texts));
  }

  fits(data) {
    return !attends(data);
  }

  build() {
    for (const part of this.parts) part.destroy?.();
    this.body?.remove();
    const view = this;
    this.ctx = /** @type {any} */ ({ store: this.store, root: this.root, data: this.data, fmt, full, t: this.t, palette: () => view.palette, announce: (text) => this.announce(text) });
    this.answer = new Answer(this.ctx);
    this.show = new Show(this.ctx, null);
    this.parts = [this.answer, this.show];
    this.body = el("div", { class: "av-body" }, el("div", { class: "avs-top" }, [this.answer.element, this.show.element]), this.live);
    this.root.append(this.body);
    this.root.dataset.ready = "true";
  }

  receive(component) {
    if (component.data === this.component.data) {
      this.retheme();
      return;
    }
    this.component = component;
    this.store.set({ query: null, locked: false });
    this.take(component);
  }

  repaint() {
    this.store.touch("theme");
  }

  update(state, changed) {
    if (!this.body) return;
    this.answer.update(changed);
    this.show.update(changed);
    this.address.write(state, NOWHERE, this.data.header.choice.frozen);
  }

  destroy() {
    super.destroy();
    this.address.forget();
  }
}
