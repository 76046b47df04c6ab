/** Seven stops on the text that is shown: what to look at, in a sentence with a live number. */

import { el } from "../core/dom.js";
import { liveNumber } from "../matrix/terms.js";
import { queryOf } from "../matrix/sentence.js";
import { strongest, visibleWeights } from "../matrix/shown.js";

/**
 * A stop: where it points to, the term whose number it names, and what it shows (a patch of the state, of the chosen query and key).
 * @type {{name: string, at: string, term?: string, show?: (query: number, key: number) => object}[]}
 */
export const STOPS = [
  { name: "answer", at: ".ava" },
  { name: "row", at: ".av-weights", term: "softmax", show: (query) => ({ query, key: null, locked: true }) },
  { name: "q", at: '[data-stage="q"]', term: "query", show: (query) => ({ query, key: null, locked: true, chain: null }) },
  { name: "k", at: '[data-stage="k"]', term: "key", show: (query, key) => ({ query: null, key, locked: true, chain: null }) },
  { name: "score", at: ".av-tabs", term: "score", show: (query, key) => ({ query, key, locked: true, tab: "product" }) },
  { name: "softmax", at: '.av-chain [data-stage="weights"]', term: "softmax", show: (query) => ({ query, key: null, locked: true, chain: null }) },
  { name: "value", at: '[data-stage="v"]', term: "value", show: (query, key) => ({ query: null, key, locked: true, chain: null }) },
];

const TEXT = ".st-key-controls textarea"; // the reader's text; a saved file has none

export class Tour {
  /** @param {import("../core/context.js").Context} ctx */
  constructor(ctx) {
    this.ctx = ctx;
    const { t } = ctx;
    const button = (key, act) => el("button", { type: "button", class: "av-button", text: t(`view.tour.${key}`), on: { click: act } });
    this.title = el("h3", { class: "avs-tour-title", tabindex: "-1" });
    this.text = el("p");
    this.live = el("p", { class: "av-card-live" });
    this.back = button("back", () => this.go(-1));
    this.next = button("next", () => this.go(1));
    this.element = el("section", { class: "avs-tour", hidden: true, "aria-label": t("view.tour.title") }, [
      this.title, this.text, this.live, el("p", { class: "avs-tour-buttons" }, [this.back, this.next, button("end", () => this.end())]),
    ]);
    ctx.root.append(this.element);
    this.shown = 0;
    this.show();
  }

  get stop() {
    return this.ctx.store.state.tour;
  }

  start() {
    this.go(1 - this.stop);
  }

  go(by) {
    const to = this.stop + by;
    if (to > STOPS.length) this.end();
    else this.ctx.store.set({ tour: Math.max(1, to) });
  }

  /** After the last stop, which asks for another letter, the text is at hand. */
  end() {
    if (this.stop === STOPS.length) /** @type {HTMLElement|null} */ (document.querySelector(TEXT))?.focus();
    this.ctx.store.set({ tour: 0, query: null, key: null, locked: false });
  }

  /** The query that tells most, and the key that it reads most. @returns {[number, number]|null} */
  pair() {
    const { data, store } = this.ctx;
    const { state } = store;
    const shown = visibleWeights({ ...state, query: null }, this.ctx);
    if (!shown) return null;
    const query = queryOf(data, { ...state, query: null }, shown);
    const row = shown.data.subarray(query * shown.cols, (query + 1) * shown.cols);
    return [query, strongest(row)];
  }

  show() {
    const { stop, shown } = this;
    this.element.hidden = !stop;
    this.ctx.root.querySelector(".avs-here")?.classList.remove("avs-here");
    if (!stop) {
      this.shown = 0;
      return;
    }
    const { t } = this.ctx;
    const { name, at, term, show } = STOPS[stop - 1];
    this.title.textContent = t("view.tour.stop", { n: stop, all: STOPS.length, title: t(`view.tour.${name}.title`) });
    const asks = stop === STOPS.length && !document.querySelector(TEXT)?.matches(":disabled") && this.ctx.data.header.data_url;
    this.text.textContent = `${t(`view.tour.${name}`)}${asks ? t("view.tour.change") : ""}`;
    const pair = this.pair();
    if (shown !== stop && pair) {
      this.shown = stop;
      if (show) this.ctx.store.set(show(...pair));
      this.point(at, shown === 0);
    }
    const live = term ? liveNumber(this.ctx, term) : "";
    this.live.textContent = live;
    this.live.hidden = !live;
    this.back.disabled = stop === 1;
    this.next.hidden = stop === STOPS.length;
    this.ctx.root.querySelector(at)?.classList.add("avs-here");
  }

  /** Brings the place into view, and the stop to those who hear it. */
  point(at, isFirst) {
    const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    requestAnimationFrame(() => {
      this.ctx.root.querySelector(at)?.scrollIntoView({ block: "center", behavior: calm ? "auto" : "smooth" });
      if (isFirst) this.title.focus({ preventScroll: true });
      else this.ctx.announce(`${this.title.textContent}. ${this.text.textContent} ${this.live.textContent}`);
    });
  }

  update(changed) {
    if (["tour", "trace", "data", "site", "head", "query", "key"].some((key) => changed.has(key))) this.show();
  }
}
