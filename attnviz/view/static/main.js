/**
 * The browser view of a trace. `mount` is what Streamlit, a notebook or a plain page calls;
 * called again with other data or another theme, it updates the picture in place.
 */

import { Answer } from "./answer/answer.js";
import { Chain } from "./matrix/chain.js";
import { afterFrame } from "./core/after.js";
import { LoadError, TraceData } from "./core/data.js";
import { el } from "./core/dom.js";
import { exportMenu } from "./export/menu.js";
import { fmt, full } from "./core/format.js";
import { View, mountOf } from "./core/frame.js";
import { Grid } from "./matrix/grid.js";
import { Matrix } from "./matrix/matrix.js";
import { choiceState, nextState, siteTitle } from "./core/select.js";
import { Sides } from "./core/sides.js";
import { patternText } from "./matrix/pattern.js";
import { visibleWeights } from "./matrix/shown.js";
import { CHAIN, MATRICES, missing, numbersOf, visibleSpec } from "./matrix/specs.js";
import { Sentence } from "./matrix/sentence.js";
import { NOWHERE, createStore, unlock } from "./core/store.js";
import { textsAt } from "./core/texts.js";
import { openTable } from "./export/table.js";
import { Plain, attends } from "./plain.js";
import { PANELS, panelFields } from "./panels/registry.js";
import { Tabs } from "./panels/tabs.js";
import { SHOW_FIELDS, linkWith } from "./show/links.js";
import { Show } from "./show/show.js";
import { TOOLS, Toolbar } from "./matrix/toolbar.js";
import { Terms } from "./matrix/terms.js";
import { Tooltip } from "./matrix/tooltip.js";
import { WhatIf } from "./whatif/ask.js";
import { FINDER, FindHeads } from "./heads/ask.js";
import { Address, readChoice } from "./core/address.js";
import viewCss from "./core/view.css";
import panelsCss from "./panels/panels.css";
import answerCss from "./answer/answer.css";
import showCss from "./show/show.css";

const WHOLE_LAYER_BYTES = 48 * 2 ** 20; // all heads of a layer are fetched up to this size
const AT_ONCE_BYTES = 256 * 2 ** 10; // and with one request up to this size: forty browsers spare a server hundreds a second
const NEIGHBOUR_CELLS = 512 * 512; // all of a head at once, and the weights one arrow key away, up to this size
const PREFETCH_WAIT_MS = 200;
const WEIGHTS_HEIGHT = { most: 430, least: 220, above: 500, wall: 240 }; // px of the cells; what stands above them stays in view

const STARTS = ["head", "site", "trace"]; // changes after which other numbers are needed
const WAY_BACK = ".st-key-way-back a";

class Explorer extends View {
  constructor(component) {
    super(component, "attnviz", [viewCss, panelsCss, answerCss, showCss]);
    this.bytes = component.data;
    this.absent = new Set(); // what the model does not show, by place
    this.left = null; // what is still to be drawn of a change whose answer is there
    this.take(component.data);
    const { header } = this.data;
    const choice = component.source ? readChoice(header) : header.choice; // a server has read the address itself
    this.address = new Address({ ...TOOLS, ...CHAIN, ...SHOW_FIELDS, ...FINDER, ...panelFields(PANELS) });
    const start = /** @type {import("./core/store.js").State} */ ({ zoom: null, ...choiceState({ ...header, choice }), ...this.address.read() });
    this.store = createStore(start);
    this.turn(start.side, { ...start, side: "" });
    this.store.subscribe((state, changed) => this.update(state, changed));
    component.onStore?.(this.store);
    this.onEscape = (event) => this.escape(event);
    document.addEventListener("keydown", this.onEscape);
    this.onPress = (event) => this.aimBack(event);
    this.onMoved = (event) => this.moved(/** @type {CustomEvent} */ (event).detail);
    window.addEventListener("attnviz:moved", this.onMoved);
    this.onQuery = (event) => this.point(/** @type {CustomEvent} */ (event).detail); // what stands beside the view points at a token
    window.addEventListener("attnviz:query", this.onQuery);
    this.across = window.innerWidth;
    this.onResize = () => this.fitWindow();
    window.addEventListener("resize", this.onResize);
    document.addEventListener("click", this.onPress, true); // before Streamlit, which goes where it was told to
    this.open(this.readTexts());
  }

  /** The messages and the code in the language of the payload; another payload may come meanwhile. */
  async readTexts() {
    const { texts: address } = this.data.header;
    const texts = this.component.source?.texts ?? (await textsAt(address));
    return address === this.data.header.texts ? texts : this.readTexts();
  }

  build() {
    this.callOff();
    for (const part of this.parts) part.destroy?.();
    this.body?.remove();
    this.ctx = this.context();
    this.single = Object.create(this.ctx, { data: { get: () => (this.shown.isDifference ? this.data : this.shown) } });
    this.body = el("div", { class: "av-body" });
    this.root.append(this.body);
    this.ctx.tooltip = new Tooltip(this.body);
    this.ctx.terms = new Terms(this.single, this.body);
    this.answer = new Answer(this.single);
    this.toolbar = new Toolbar(this.ctx);
    this.sentence = new Sentence(this.single);
    this.grid = new Grid(this.ctx);
    this.whatIf = this.makeWhatIf();
    this.finder = new FindHeads(this);
    this.weights = new Matrix(this.ctx, { maxHeight: weightsHeight(this.store.state.present), eager: true, zoomable: true, told: () => patternText(this.ctx, this.store.state) });
    this.tabs = new Tabs(this.single, PANELS);
    this.chain = new Chain(this.ctx);
    this.show = new Show(this.single, this.chain);
    this.parts = [this.ctx.terms, this.answer, this.toolbar, this.sentence, this.grid, this.weights, this.tabs, this.chain, this.show, this.whatIf, this.finder];
    const right = el("div", { class: "av-right" }, [
      this.toolbar.element,
      this.sentence.element,
      el("div", { class: "av-columns" }, [el("section", { class: "av-weights" }, [this.weights.element]), this.tabs.element]),
    ]);
    const left = el("aside", { class: "av-left", "aria-label": this.ctx.t("view.frame.grid.title") }, [this.grid.element]);
    this.body.style.setProperty("--av-left", `${this.grid.wanted}px`);
    this.body.prepend(el("div", { class: "avs-top" }, [this.answer.element, this.show.element]), el("div", { class: "av-layout" }, [left, right]), this.chain.element, this.live);
    this.tellAnswer();
    this.sentence.element.hidden = Boolean(this.shown.isDifference);
    this.showWeights();
    this.mirror(this.store.state);
    this.need(this.store.state);
    requestAnimationFrame(() => {
      this.root.dataset.ready = "true";
      performance.mark("attnviz:painted");
    });
  }

  makeWhatIf() {
    const offered = () => (this.component.setTriggerValue ? this.data.header.what_if : null);
    const send = async (edit) => {
      this.toolbar.clearProblem();
      const refused = await this.component.setTriggerValue("edit", edit);
      if (refused) this.toolbar.showProblem(refused);
    };
    const whatIf = new WhatIf(this.ctx, offered, send, this);
    this.toolbar.title.after(whatIf.element);
    this.answer.verdict.after(whatIf.heads, whatIf.test);
    return whatIf;
  }

  /** Return the context that the parts work with. Its data are those that are shown; `single` has a difference's own side in their place. */
  context() {
    const view = this;
    return {
      store: this.store,
      root: this.root,
      fmt,
      full,
      get data() {
        return view.shown;
      },
      get sides() {
        return view.sides;
      },
      turn: (side) => view.turn(side),
      get code() {
        return view.texts.code;
      },
      palette: () => view.palette,
      t: this.t,
      announce: (text) => view.announce(text),
      visibleWeights(state) {
        return visibleWeights(state, this);
      },
      load: (site, heads, stages) => view.load(site, heads, stages),
      absent: (site, stage) => view.absence(site, stage),
      failed: (error) => view.failed(error),
      later: (name) => view.later(name),
      openTable: (spec) => openTable(view.ctx, spec),
      exportMenu: (spec, anchor) => exportMenu(view.ctx, spec, anchor),
      ask: (event, place) => view.whatIf.ask(event, place),
      breaks: (step) => view.whatIf.breaks.get(step),
      askOf: (event, site, head, focus) => view.whatIf.askOf(event, site, head, focus),
    };
  }

  /** The numbers of a payload; those that arrive later are drawn when they belong to the chosen head. */
  unpack(bytes) {
    const data = new TraceData(bytes, (paths) => {
      const { site, head } = this.store.state;
      const { name } = this.shown.site(site);
      const shown = (path) => path.startsWith(`${name}/${head}/`) || path.startsWith(`${name}/x`);
      if (data === this.data && (this.sides || paths.some(shown))) this.arrived();
    }, this.component.source);
    return data;
  }

  /** Takes a payload's numbers, and those of a second trace if it has one. */
  take(bytes) {
    this.data = this.unpack(bytes);
    const { data } = this;
    this.sides = data.header.beside ? new Sides(data, () => data === this.data && this.arrived(), () => this.store.state) : null;
  }

  arrived() {
    this.store.touch("data");
    this.store.flush(); // into the coming frame, not the one after it
  }

  /** The numbers that are shown: of two traces one side, or their difference. @returns {any} */
  get shown() {
    return this.sides?.of(this.store.state.side) ?? this.data;
  }

  /** Shows another side, at the same place. @param {string} side  @param {import("./core/store.js").State} from */
  turn(side, from = this.store.state) {
    this.store.set(this.sides ? this.sides.turned(from, side) : { ...from, side: "" });
  }

  fits(data) {
    return attends(data);
  }

  /** Back or Forward. @param {"view"|"page"|"away"} where */
  moved(where) {
    this.isBehind = where === "page"; // until the server's answer is there
    if (where === "view") this.follow();
  }

  /** Shows what the address says. */
  follow() {
    this.isBehind = false;
    if (!this.body) return;
    const { header } = this.data;
    const { side, ...fields } = this.address.read();
    const place = choiceState({ ...header, choice: readChoice(header) });
    this.turn(side, { ...this.store.state, ...place, ...fields, side: "" });
  }

  /** Other data, or the same again because the theme changed. */
  receive(component) {
    const before = this.data.header;
    this.component = component;
    if (component.data === this.bytes || !this.body) {
      this.bytes = component.data;
      if (!this.body) this.take(component.data);
      this.retheme();
      if (this.isBehind) this.follow();
      return;
    }
    this.bytes = component.data;
    const { data: held, sides } = this;
    const { side } = this.store.state;
    const home = sides ? sides.home(this.store.state) : this.store.state;
    const places = placesOf(this.shown);
    this.take(component.data);
    const { header } = this.data;
    const sameOther = this.sides?.other.header.trace === sides?.other.header.trace;
    const sameTrace = header.trace === before.trace && sameOther;
    if (header.trace === before.trace) this.data.adopt(held);
    if (this.sides && sides && sameOther) this.sides.other.adopt(sides.other);
    const next = header.trace !== before.trace || header.choice.link !== before.choice.link ? nextState(header, before, home) : {};
    const own = this.isBehind ? this.address.read() : { side };
    this.isBehind = false;
    this.turn(own.side, { ...home, ...next, ...own, side: "" });
    if (header.texts !== before.texts) {
      this.open(this.readTexts());
    } else {
      this.retheme();
      this.store.touch("data");
      if (!sameTrace) this.store.touch("trace");
      if (!sameTrace && placesOf(this.shown) === places) this.store.touch("numbers");
    }
  }

  repaint() {
    this.store.touch("theme");
  }

  /** @param {import("./core/store.js").State} state */
  update(state, changed) {
    if (!this.body) return;
    this.finish();
    if (changed.has("side")) {
      changed = new Set([...changed, "trace", "data"]); // other numbers are shown
      changed.delete("numbers");
    }
    if (STARTS.some((key) => changed.has(key))) this.need(state); // asked for first: it is on its way while the rest is drawn
    this.answer.update(changed);
    this.tellAnswer();
    if (changed.has("numbers")) this.left = { changed, callOff: afterFrame(() => this.finish()) };
    else this.draw(changed);
  }

  /** Draws what is left of a change. */
  finish() {
    const { left } = this;
    this.callOff();
    if (left) this.draw(left.changed);
  }

  callOff() {
    this.left?.callOff();
    this.left = null;
  }

  /** Draws all but the answer. */
  draw(changed) {
    const { state } = this.store;
    const start = STARTS.some((key) => changed.has(key));
    for (const part of [this.toolbar, this.sentence, this.grid, this.whatIf, this.finder]) part.update(changed);
    if (start || ["data", ...Object.keys(TOOLS)].some((key) => changed.has(key))) this.showWeights();
    this.weights.update(changed);
    this.chain.update(changed);
    this.tabs.update(changed);
    this.sentence.element.hidden = Boolean(this.shown.isDifference); // it tells of weights
    if (changed.has("present")) this.resize();
    this.show.update(changed);
    this.mirror(state);
    const home = this.sides ? { ...this.sides.home(state), side: state.side } : state;
    this.address.write(home, this.data.site(home.site), this.data.header.choice.frozen);
    if (start) {
      performance.mark("attnviz:painted");
      this.announce(`${siteTitle(this.ctx, this.shown.site(state.site), state.head)}. ${this.sentence.element.textContent}`);
    }
    if (changed.has("locked")) this.announce(this.t(state.locked ? "view.frame.locked" : "view.frame.unlocked"));
  }

  /** The answer stays in sight beside the steps' buttons. */
  tellAnswer() {
    this.chain.answer.textContent = this.answer.element.hidden ? "" : this.answer.element.getAttribute("aria-label");
  }

  /** The weights have another room on a wall, and in a window of another height; on a wall the steps as well. */
  resize() {
    this.weights.maxHeight = weightsHeight(this.store.state.present);
    this.weights.layout();
    this.chain.measure();
  }

  /** A phone's bars come and go while one scrolls: then nothing moves under the finger. */
  fitWindow() {
    const isTurned = window.innerWidth !== this.across;
    this.across = window.innerWidth;
    if (this.body && (isTurned || !window.matchMedia("(pointer: coarse)").matches)) this.resize();
  }

  /** Locks a query, where the chosen head has one. @param {{sequence: string, position: number}} query */
  point({ sequence, position }) {
    if (!this.body) return;
    const { queries } = this.shown.site(this.store.state.site);
    if (queries === sequence && position < this.shown.tokens(queries).length) this.store.set({ ...NOWHERE, query: position, locked: true });
  }

  showWeights() {
    this.weights.show(visibleSpec(this.ctx, this.store.state));
  }

  /** The state on the root element, for tests and for style. */
  mirror(state) {
    const { dataset } = this.root;
    dataset.side = state.side;
    dataset.site = this.shown.site(state.site).name;
    dataset.head = String(state.head);
    dataset.locked = String(state.locked);
    dataset.query = state.query === null ? "" : String(state.query);
    dataset.key = state.key === null ? "" : String(state.key);
    this.root.toggleAttribute("data-all", state.chain === null);
    dataset.loaded = String(this.shown.has(state.site, state.head, ["weights"]));
  }

  /** Loads the chosen head, its weights before the rest; then, where they are small, its neighbours in the layer. */
  async need({ site, head }) {
    const { shown: data } = this;
    const { n_heads: n, queries, keys, d_head: width, d_model: model } = data.site(site);
    const cells = data.tokens(queries).length * data.tokens(keys).length;
    const everything = numbersOf(data.site(site));
    await this.load(site, [head], ["weights"]);
    if (cells <= NEIGHBOUR_CELLS) await this.load(site, [head], everything); // else by whoever shows them
    clearTimeout(this.prefetching);
    if (!data.header.data_url) return;
    const matrices = this.chain.near ? MATRICES : [];
    const bytes = 4 * n * (4 * cells + data.tokens(queries).length * (4 * width + (model ?? 0)) + matrices.length * width * (model ?? 0));
    const here = () => this.shown === data && this.store.state.site === site;
    this.prefetching = setTimeout(async () => {
      if (bytes <= WHOLE_LAYER_BYTES) {
        const nearestFirst = Array.from({ length: n }, (_, h) => h).sort((a, b) => Math.abs(a - head) - Math.abs(b - head));
        const together = bytes <= AT_ONCE_BYTES ? [nearestFirst] : nearestFirst.map((other) => [other]);
        for (const others of together) if (here()) await this.load(site, others, [...everything, "x", "output", ...matrices], true);
        if (here()) this.root.dataset.layer = data.site(site).name; // no switch of head inside it asks the server
        return;
      }
      if (cells > NEIGHBOUR_CELLS) return;
      const neighbours = [[site + 1, head], [site - 1, head], [site, head + 1], [site, head - 1]]; // one arrow key away
      for (const [other, h] of neighbours) {
        if (here() && data.sites[other] && h >= 0 && h < data.sites[other].n_heads) await this.load(other, [h], ["weights"], true);
      }
    }, PREFETCH_WAIT_MS);
  }

  async load(site, heads, stages, isAhead = false) {
    const { shown: data } = this;
    const wanted = stages.filter((stage) => heads.some((head) => missing(this.ctx, site, head, [stage]).length));
    if (!wanted.length) return;
    try {
      // the input takes another run of the model: the rest does not wait for it
      const parts = [wanted.filter((stage) => stage.startsWith("x")), wanted.filter((stage) => !stage.startsWith("x"))];
      await Promise.all(parts.filter((part) => part.length).map((part) => data.load(site, heads, part, isAhead)));
      if (data !== this.shown) return;
      this.toolbar.clearProblem();
      this.noteAbsent(site, heads[0], wanted);
    } catch (error) {
      if (data === this.shown) this.failed(error);
    }
  }

  /** A module that comes when it is first asked for. @param {string} name */
  async later(name) {
    return this.component.later?.[name] ?? import(new URL(this.data.header.later[name], document.baseURI).href);
  }

  place(site, stage) {
    return [this.shown.header.trace, this.shown.site(site).name, stage].join("/");
  }

  /** Why numbers of the chosen head will not come; "" when they may. */
  absence(site, stage) {
    const isLacking = this.shown.lacks(site, this.store.state.head, stage);
    if (isLacking && this.shown.isDifference) return this.t("view.frame.side.absent");
    if (isLacking) return this.t(MATRICES.includes(stage) ? "view.standalone.absent.matrix" : "view.standalone.absent");
    return this.absent.has(this.place(site, stage)) ? this.t("view.frame.matrix.absent") : "";
  }

  /** Note the stages missing from the server's answer: the model does not show them, so they are not asked for again. */
  noteAbsent(site, head, stages) {
    const left = missing(this.ctx, site, head, stages);
    if (!left.length) return;
    for (const stage of left) this.absent.add(this.place(site, stage));
    this.store.touch("data");
  }

  /** A fetch failed: says so, and offers a way on. */
  failed(error) {
    if (!(error instanceof LoadError)) throw error;
    if (!this.data.header.data_url) return; // a page that was saved whole has no server to ask
    const { setTriggerValue } = this.component;
    const again = () => {
      this.toolbar.clearProblem();
      if (error.gone && setTriggerValue) setTriggerValue("reload", true);
      else this.store.touch("retry");
      if (!error.gone) this.need(this.store.state);
    };
    this.toolbar.showProblem(this.t(error.gone ? "view.frame.problem.gone" : "view.frame.problem.network"), this.t("view.frame.problem.again"), again);
  }

  escape(event) {
    if (event.key !== "Escape" || event.defaultPrevented || !this.store.state.locked) return;
    if (this.root.querySelector("dialog[open], [popover]:popover-open")) return;
    unlock(this.store);
  }

  /** The page's way back to a run leads to the head that is shown here. */
  aimBack(event) {
    const back = event.target.closest?.(WAY_BACK);
    if (!back) return;
    const { site, head } = this.sides?.home(this.store.state) ?? this.store.state;
    back.href = linkWith(back.href, { site: this.data.site(site).name, head });
    event.stopPropagation();
  }

  destroy() {
    super.destroy();
    this.callOff();
    this.address.forget();
    clearTimeout(this.prefetching);
    document.removeEventListener("keydown", this.onEscape);
    document.removeEventListener("click", this.onPress, true);
    window.removeEventListener("attnviz:moved", this.onMoved);
    window.removeEventListener("attnviz:query", this.onQuery);
    window.removeEventListener("resize", this.onResize);
  }
}

/** The heads and tokens of a trace; where they are the same, only the numbers change. */
const placesOf = ({ header: { sites, tokens } }) => JSON.stringify([sites.map(({ name, n_heads: heads }) => [name, heads]), tokens]);

/** Cells as high as the window leaves room for, so that the answer and the weights are seen together. */
function weightsHeight(isOnWall) {
  const { most, least, above, wall } = WEIGHTS_HEIGHT;
  return Math.max(least, Math.min(most, isOnWall ? window.innerHeight / 1.5 - wall : window.innerHeight - above));
}

/**
 * As `mountOf` says; its data is the payload of a trace, a Uint8Array. A page that was saved whole also brings the
 * `source` of its numbers.
 */
export const mount = mountOf(Explorer, ({ data }) => (attends(data) ? Explorer : Plain));
