/** All queries and keys of the chosen head in one plane; what the view points at stands out, with lines to what it reads most. */

import { windowStart } from "../answer/answer.js";
import { el } from "../core/dom.js";
import { fmtPercent, tokenText } from "../core/format.js";
import { hover, toggleLock } from "../core/store.js";
import { stepIndex } from "../panels/list.js";
import { planeOf } from "./components.js";
import { most, roomy } from "./picture.js";
import planeCss from "./plane.css";

const SPACE = "http://www.w3.org/2000/svg";
const HEIGHT = 280; // px
const MARGIN = { x: 24, y: 18 }; // px
const NEAR = 24; // px from a point to what points at it
const SHOWN = 200; // queries, and keys, that are drawn at once
const LINES = 6;
const LETTERS = 12; // of a token beside its point
const SIDES = ["query", "key"];
const KEYS = { ArrowLeft: "ArrowUp", ArrowRight: "ArrowDown", Home: "Home", End: "End" };

/** @param {string} tag  @param {Record<string, any>} attributes */
function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SPACE, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

export class Plane {
  /** @param {import("../core/context.js").Context} ctx */
  constructor(ctx) {
    this.ctx = ctx;
    this.t = ctx.t;
    this.held = null; // the queries that it was computed of
    this.places = null; // of the head's queries and keys; see `planeOf`
    this.shown = ""; // the head, and what is drawn of it
    this.start = { query: 0, key: 0 };
    /** @type {{side: string, token: number, x: number, y: number, mark: Element}[]} */
    this.points = [];
    this.prefix = `avx-${Math.random().toString(36).slice(2, 8)}`;
    const sign = (side, axis) => el("span", { class: `is-${side}` }, el("i", { class: "avx-sign", "aria-hidden": "true" }), this.t(`view.panel.axis.${axis}`));
    this.legend = el("p", { class: "avx-legend" }, sign("query", "queries"), sign("key", "keys"), el("button", {
      type: "button", class: "av-small", text: this.t("view.frame.matrix.table"), on: { click: () => ctx.openTable(this.table()) },
    }));
    this.svg = svg("svg", { role: "none", height: HEIGHT, width: "100%" });
    this.list = el("div", {
      class: "avx-list", role: "listbox", tabindex: "0", "aria-label": this.t("view.panel.plane.list"),
      on: {
        pointermove: (event) => event.pointerType !== "touch" && this.point(event, (patch) => hover(ctx.store, patch)),
        pointerleave: () => hover(ctx.store, { query: null, key: null }),
        click: (event) => this.point(event, (patch) => toggleLock(ctx.store, patch)),
        keydown: (event) => this.press(event),
      },
    }, this.svg);
    this.says = el("p", { class: "avx-says", "aria-live": "polite" });
    this.cue = el("p", { class: "avp-note" });
    this.note = el("p", { class: "avp-note" });
    this.element = el("div", { class: "avx" }, el("style", { text: planeCss }), this.legend, this.list, this.says, this.cue, this.note);
    this.observer = new ResizeObserver(() => this.resized());
    this.observer.observe(this.list);
  }

  /** The chosen query or key; null: none. */
  get chosen() {
    const { query, key } = this.ctx.store.state;
    if (query !== null) return { side: "query", token: query };
    return key === null ? null : { side: "key", token: key };
  }

  /** @param {any} view  see `current` of `panels/kit.js` */
  show(view) {
    const [q, k] = [view.get("q"), view.get("k")];
    this.view = view;
    if (this.held !== q) {
      this.held = q;
      this.places = planeOf(q, k);
      this.introduce();
      this.shown = "";
    }
    for (const side of SIDES) this.keepIn(side);
    const drawn = [this.list.clientWidth, ...SIDES.map((side) => this.start[side])].join();
    if (this.shown !== drawn) this.draw(drawn);
    this.mark();
  }

  labels(side) {
    return side === "query" ? this.view.queries : this.view.keys;
  }

  name(side, token) {
    return `${this.t(`view.panel.${side}_at`, { index: token })} ${tokenText(this.labels(side)[token])}`;
  }

  /** The window of a long text that has the chosen token. */
  keepIn(side) {
    const count = this.labels(side).length;
    const token = this.ctx.store.state[side];
    if (this.start[side] + SHOWN > count) this.start[side] = Math.max(0, count - SHOWN);
    if (token !== null && (token < this.start[side] || token >= this.start[side] + SHOWN)) this.start[side] = windowStart(token, count, SHOWN);
  }

  introduce() {
    const { t, places: { shares, factor } } = this;
    const percent = (share) => t("view.panel.percent", { value: fmtPercent(share) });
    const [first, second] = shares;
    this.note.textContent = first ? t("view.panel.plane.note", { share: percent(first + second), first: percent(first), second: percent(second), factor: this.ctx.fmt(factor) }) : t("view.panel.plane.same");
  }

  resized() {
    if (this.view && this.list.clientWidth && this.shown) {
      this.shown = "";
      this.show(this.view);
    }
  }

  /** Every point at its place, as long across as upwards. */
  draw(drawn) {
    const width = this.list.clientWidth;
    if (!width) return; // in a tab that is not open
    this.shown = drawn;
    const { places, start } = this;
    const all = [...places.query, ...places.key];
    const ends = [0, 1].map((at) => all.reduce(([low, high], place) => [Math.min(low, place[at]), Math.max(high, place[at])], [Infinity, -Infinity]));
    const [across, up] = ends.map(([low, high]) => high - low);
    const scale = Math.min((width - 2 * MARGIN.x) / (across || 1e-9), (HEIGHT - 2 * MARGIN.y) / (up || 1e-9));
    const [midX, midY] = ends.map(([low, high]) => (low + high) / 2);
    const at = ([x, y]) => ({ x: width / 2 + (x - midX) * scale, y: HEIGHT / 2 - (y - midY) * scale });
    this.points = SIDES.flatMap((side) => places[side].slice(start[side], start[side] + SHOWN).map((place, n) => this.makePoint(side, start[side] + n, at(place))));
    this.lines = svg("g", { "aria-hidden": "true", class: "avx-lines" });
    this.texts = svg("g", { "aria-hidden": "true" });
    this.svg.replaceChildren(this.lines, ...this.points.map(({ mark }) => mark), this.texts);
    const cut = SIDES.find((side) => this.labels(side).length > SHOWN);
    this.cue.hidden = !cut;
    if (cut) this.cue.textContent = this.t("view.panel.plane.window", { first: start[cut], last: start[cut] + SHOWN - 1, n: this.labels(cut).length });
  }

  makePoint(side, token, { x, y }) {
    const shape = side === "query" ? svg("circle", { cx: x, cy: y, r: 4.5 }) : svg("rect", { x: x - 4, y: y - 4, width: 8, height: 8 });
    const name = this.name(side, token);
    const mark = svg("g", { role: "option", id: `${this.prefix}-${side}-${token}`, class: `avx-point is-${side}`, "aria-label": name, "aria-selected": "false" }, svg("title", {}, name), shape);
    return { side, token, x, y, mark };
  }

  /** Marks the chosen point, the points that it reads most or is read by, and the labels that have room, theirs first. */
  mark() {
    const { chosen, points } = this;
    const reads = chosen ? most(this.view.get("weights"), chosen.side, chosen.token, LINES) : [];
    const other = chosen?.side === "query" ? "key" : "query";
    const isChosen = (point) => point.side === chosen?.side && point.token === chosen.token;
    const readOf = (point) => (point.side === other ? reads.find(({ token }) => token === point.token) : undefined);
    const { key } = this.ctx.store.state;
    const self = points.find(isChosen);
    this.lines.replaceChildren(...points.filter((point) => self && readOf(point)).map((point) => svg("line", {
      x1: self.x, y1: self.y, x2: point.x, y2: point.y, "stroke-width": 0.75 + 5 * readOf(point).weight, class: `is-${self.side}`,
    })));
    for (const point of points) {
      const isOne = isChosen(point) || (chosen?.side === "query" && point.side === "key" && point.token === key);
      point.mark.classList.toggle("is-focused", isOne);
      point.mark.classList.toggle("is-read", Boolean(readOf(point)));
      point.mark.setAttribute("aria-selected", String(isOne));
    }
    this.svg.classList.toggle("has-choice", Boolean(self));
    if (self) this.list.setAttribute("aria-activedescendant", self.mark.id);
    else this.list.removeAttribute("aria-activedescendant");
    this.label([...(self ? [self] : []), ...points.filter(readOf), ...points.filter((point) => !isChosen(point) && !readOf(point))]);
    this.tell(reads);
  }

  label(points) {
    /** @type {any[]} */
    const texts = points.map(({ side, token, x, y }) => ({ side, x, y, text: [...tokenText(this.labels(side)[token])].slice(0, LETTERS).join("") }));
    const width = this.list.clientWidth;
    this.texts.replaceChildren(...roomy(texts, points, width, HEIGHT).map(({ side, text, x, y }) => svg("text", { x, y, class: `avx-text is-${side}` }, text)));
  }

  tell(reads) {
    const { chosen, t } = this;
    if (!chosen) this.says.textContent = t("view.panel.plane.teach");
    else {
      const other = chosen.side === "query" ? "key" : "query";
      const list = reads.map(({ token, weight }) => `${tokenText(this.labels(other)[token])} #${token} (${t("view.panel.percent", { value: fmtPercent(weight) })})`).join(", ");
      this.says.textContent = list ? t(`view.panel.plane.${chosen.side === "query" ? "reads" : "read"}`, { token: this.name(chosen.side, chosen.token), list }) : this.name(chosen.side, chosen.token);
    }
  }

  /** Has the nearest point chosen. */
  point(event, act) {
    const box = this.svg.getBoundingClientRect();
    const by = box.width / this.list.clientWidth;
    const far = ({ x, y }) => Math.hypot(event.clientX - box.left - x * by, event.clientY - box.top - y * by);
    const nearest = this.points.reduce((best, point) => (best && far(best) <= far(point) ? best : point), null);
    if (nearest && far(nearest) < NEAR) act(this.patch(nearest.side, nearest.token));
  }

  patch(side, token) {
    return side === "query" ? { query: token, key: null } : { query: null, key: token };
  }

  press(event) {
    const { chosen, ctx } = this;
    const side = chosen?.side ?? "query";
    const count = this.labels(side).length;
    const to = stepIndex(KEYS[event.key] ?? "", chosen?.token ?? null, count);
    const other = side === "query" ? "key" : "query";
    if (to !== null) ctx.store.set(this.patch(side, to));
    else if (event.key === "ArrowUp" || event.key === "ArrowDown") ctx.store.set(this.patch(other, Math.min(chosen?.token ?? 0, this.labels(other).length - 1)));
    else if ((event.key === "Enter" || event.key === " ") && chosen) toggleLock(ctx.store, this.patch(side, chosen.token));
    else return;
    event.preventDefault();
    event.stopPropagation(); // the page's own arrow keys walk heads
  }

  /** The places as a table. */
  table() {
    const { places, ctx } = this;
    const rows = SIDES.flatMap((side) => places[side].map((_, token) => this.name(side, token)));
    const data = Float32Array.from([...places.query, ...places.key].flat());
    const axes = ["first", "second"].map((name) => this.t(`view.panel.plane.${name}`));
    return { title: this.t("view.panel.plane.list"), rows: { kind: "names", labels: rows }, cols: { kind: "names", labels: axes }, matrix: { data, rows: rows.length, cols: 2 }, format: ctx.fmt };
  }

  destroy() {
    this.observer.disconnect();
  }
}
