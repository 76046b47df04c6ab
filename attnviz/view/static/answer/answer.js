/**
 * The model's answer, above the picture of how it came about: the tokens it read, below each what it says there; or the
 * candidates of one place as bars. Each is a button that chooses its query.
 */

import { css, ink } from "../core/colors.js";
import { el } from "../core/dom.js";
import { fmtWhole, tokenElement, tokenText } from "../core/format.js";
import { Outputs } from "../core/outputs.js";
import { chooseHead } from "../core/select.js";
import { toggleLock } from "../core/store.js";
import { isByHand } from "../matrix/specs.js";

const MOST_COLUMNS = 96; // tokens in the document at once
const MOST_BARS = 6;
const MOST_VALUES = 12;
const HUES = 5; // of tags
const LEAST_END = 0.005; // what is less probable as an end of the answer is not printed

/** The hue of a tag, without its B- or I-; -1 for the one that says "none". Pure. */
export function hueOf(label, labels) {
  const kinds = [...new Set(labels.map(kindOf))].filter((kind) => kind !== "O").sort();
  const at = kinds.indexOf(kindOf(label));
  return at < 0 ? -1 : at % HUES;
}

/** What is seen, and a sentence in its place for those who hear it. */
const named = (name, seen) => [el("span", { class: "av-live", text: name }), el("span", { class: "ava-seen", "aria-hidden": "true" }, seen)];

const kindOf = (label) => label.replace(/^[BI]-/, "");

/** The first of the tokens that are shown, so that `focus` is among them. Pure. */
export function windowStart(focus, count, most = MOST_COLUMNS) {
  return count <= most ? 0 : Math.max(0, Math.min(count - most, focus - Math.floor(most / 2)));
}

/** The outputs before the edit beside which a trace is shown; null where it shows none. @param {import("../core/context.js").Context} ctx */
function outputsBefore({ data, sides }) {
  return sides?.told.names === "edit" && data === sides.own && sides.other.header.outputs ? new Outputs(sides.other) : null;
}

export class Answer {
  /** @param {import("../core/context.js").Context} ctx */
  constructor(ctx) {
    this.ctx = ctx;
    this.t = ctx.t;
    this.title = el("h2", { class: "ava-title", text: this.t("view.answer.title") });
    this.verdict = el("p", { class: "ava-verdict" });
    this.list = el("ol", { class: "ava-columns", on: { click: (event) => this.click(event), keydown: (event) => this.press(event) } });
    this.bars = el("ol", { class: "ava-bars" });
    this.note = el("p", { class: "av-muted ava-note" });
    this.body = el("div", { class: "ava-body" }, [this.list, this.bars, this.note]);
    this.element = el("section", { class: "ava" }, [el("div", { class: "ava-head" }, [this.title, this.verdict]), this.body]);
    this.start();
  }

  /** Shows the answer of another trace, or in other colours. */
  start() {
    const { header } = this.ctx.data;
    this.element.hidden = isByHand(this.ctx); // numbers answer nothing
    this.outputs = header.outputs ? new Outputs(this.ctx.data) : null;
    if (!this.outputs) {
      this.name("");
      this.show([], [], this.t("view.answer.none"));
      return;
    }
    this.asked = new Set(this.outputs.asked);
    this.before = outputsBefore(this.ctx);
    if (this.outputs.span) this.asked = new Set(this.outputs.span.context);
    // one place at a time, as bars; else every place that is asked for has its answer below it
    const { whole, areValues, kind } = this.outputs;
    this.onePlace = whole || (areValues && this.outputs.values(0).length > 1) || kind === "masked" || (kind === "next" && !this.asked.size);
    this.from = null;
    this.paint();
  }

  name(text) {
    this.element.setAttribute("aria-label", this.t("view.answer.label", { text }));
  }

  show(columns, bars, note) {
    this.list.replaceChildren(...columns);
    this.bars.replaceChildren(...bars);
    this.list.hidden = !columns.length;
    this.bars.hidden = !bars.length;
    this.note.replaceChildren(...[note].flat().map((text) => el("span", { text })));
    this.note.hidden = !note.length;
  }

  /** The name of the tokens that are shown: those that the outputs belong to, or those that an answer is a span of. */
  get stack() {
    return this.outputs.span?.stack ?? this.outputs.stack;
  }

  /** Whether these are the queries of the chosen head; without any head, queries are these very tokens. */
  get linked() {
    const site = this.ctx.data.sites[this.ctx.store.state.site];
    return !site || site.queries === this.stack;
  }

  /** The row whose candidates are bars: the chosen query's, where the outputs belong to the queries. */
  get place() {
    const { query } = this.ctx.store.state;
    if (this.outputs.span) return this.linked && query !== null ? query : this.outputs.span.begin;
    return !this.outputs.whole && this.linked && query !== null ? query : this.outputs.first;
  }

  paint() {
    this.painted = this.onePlace ? this.place : null;
    const { onePlace, outputs: { whole, span } } = this;
    this.show(whole ? [] : this.columns(), onePlace ? this.barsOf(this.place) : [], span ? this.spanned() : onePlace && !whole ? this.where() : "");
    this.note.classList.toggle("is-span", Boolean(span));
    this.name(this.text());
    this.judge();
    this.mark();
    requestAnimationFrame(() => this.reveal());
  }

  /** Scrolls the tokens' own box, never the page, to the place in question, unless it is whole in sight. */
  reveal() {
    const { list } = this;
    const button = /** @type {HTMLElement} */ (list.querySelector('.ava-token[tabindex="0"]'));
    if (!button || list.hidden) return;
    const start = button.offsetLeft - list.offsetLeft;
    const end = start + button.offsetWidth;
    if (start < list.scrollLeft || end > list.scrollLeft + list.clientWidth) list.scrollLeft = end + button.offsetWidth - list.clientWidth;
  }

  /** The trace, the row and the output that stand for the answer: the chosen query's, else the first one's. */
  get question() {
    const { outputs } = this;
    const { query } = this.ctx.store.state;
    const chosen = this.linked && query !== null && !outputs.isBeside(query) ? query : outputs.first;
    const row = outputs.whole ? 0 : chosen;
    const { data, shape: [, k] } = this.ctx.data.array("outputs/ids");
    return { data: this.ctx.data, row, output: data[row * k] };
  }

  /** The answer as one text. */
  text() {
    const { outputs } = this;
    if (outputs.span) return outputs.spanned;
    if (outputs.areValues) return outputs.values(this.place).slice(0, MOST_VALUES).map(this.ctx.fmt).join(", ");
    const rows = this.onePlace ? [this.place] : [...this.asked];
    return rows.map((row) => tokenText(outputs.candidates(row)[0].label)).join(" ");
  }

  where() {
    const token = tokenText(this.outputs.tokens[this.place]);
    return this.t(`view.answer.where.${this.outputs.kind}`, { token, index: this.place });
  }

  /** Return the words about an answer that is a span: its probability, that of no answer, and the answer before an edit. @returns {string[]} */
  spanned() {
    const { t, outputs, before } = this;
    const { p, none, begin, end } = outputs.span;
    const said = [t("view.answer.span", { text: outputs.spanned, start: fmtWhole(outputs.ends(begin)[0]), end: fmtWhole(outputs.ends(end)[1]), percent: fmtWhole(p) })];
    if (none !== null) said.push(t(none > p ? "view.answer.span.none" : "view.answer.span.some", { percent: fmtWhole(none) }));
    if (before?.span) said.push(t("view.answer.span.before", { text: before.spanned, percent: fmtWhole(before.span.p) }));
    return said;
  }

  judge() {
    const { score } = this.outputs;
    const [right, all] = score ?? [0, 0];
    this.verdict.hidden = !all;
    this.verdict.textContent = all ? this.t(right === all ? "view.answer.right" : "view.answer.some", { right, all }) : "";
    this.verdict.classList.toggle("is-wrong", right < all);
  }

  columns() {
    const tokens = this.ctx.data.tokens(this.stack);
    const focus = this.outputs.span ? this.outputs.span.begin : this.asked.size ? Math.min(...this.asked) : this.place;
    this.from ??= windowStart(focus, tokens.length);
    const to = Math.min(tokens.length, this.from + MOST_COLUMNS);
    const shown = tokens.slice(this.from, to).map((label, n) => this.column(label, this.from + n));
    const more = (text, from) => el("li", {}, el("button", { type: "button", class: "av-small ava-more", text, on: { click: () => this.turn(from) } }));
    const before = this.from > 0 ? [more(this.t("view.answer.before", { n: this.from }), this.from - MOST_COLUMNS)] : [];
    const after = to < tokens.length ? [more(this.t("view.answer.after", { n: tokens.length - to }), to)] : [];
    return [...before, ...shown, ...after];
  }

  turn(from) {
    this.from = Math.max(0, Math.min(this.ctx.data.tokens(this.stack).length - MOST_COLUMNS, from));
    this.paint();
  }

  column(label, row) {
    const { t, outputs } = this;
    const read = el("span", { class: "ava-read" }, tokenElement(label));
    const index = { type: "button", class: "ava-token", dataset: { row }, "aria-pressed": "false" };
    const parts = { index: row, read: tokenText(label) };
    if (outputs.span && this.asked.has(row)) return this.ofSpan(row, read, index);
    if (!this.asked.has(row) || this.onePlace) {
      const said = this.onePlace ? [] : [el("span", { class: "ava-out is-none", "aria-hidden": "true", text: "·" }), el("span", { class: "ava-p" })];
      const name = t(this.onePlace ? "view.answer.token" : "view.answer.not_asked", parts);
      return el("li", {}, el("button", { ...index, title: name }, named(name, [read, ...said])));
    }
    if (outputs.areValues) return this.forecast(row, read, index);
    const [{ label: out, p }] = outputs.candidates(row);
    const right = outputs.truth[row] ?? null;
    const wrong = right !== null && right !== out;
    const said = { ...parts, said: tokenText(out), percent: fmtWhole(p), right: tokenText(right ?? "") };
    const name = t(right === null ? "view.answer.says" : wrong ? "view.answer.says.wrong" : "view.answer.says.right", said);
    const chip = el("span", { class: `ava-out${wrong ? " is-wrong" : ""}` }, tokenElement(out));
    this.tint(chip, out, p);
    const mark = right === null ? "" : wrong ? " ✗" : " ✓";
    if (this.before) return this.changed(row, out, { name, index, read, chip, mark, wrong });
    const percent = el("span", { class: `ava-p${wrong ? " is-wrong" : ""}`, text: t("view.panel.percent", { value: fmtWhole(p) }) + mark });
    return el("li", {}, el("button", { ...index, title: `${name} (${this.ctx.full(p)})` }, named(name, [read, chip, percent])));
  }

  /** A place after an edit: what it said before has this much left, and another answer is marked. */
  changed(row, out, { name, index, read, chip, mark, wrong }) {
    const { t, ctx } = this;
    const [{ label, before, after }] = this.outputs.kept(row, this.before);
    const flipped = label !== out;
    const numbers = { before: fmtWhole(before), after: fmtWhole(after) };
    const told = `${name}. ${t(flipped ? "view.answer.flipped" : "view.answer.kept", { said: tokenText(label), ...numbers })}`;
    const was = flipped ? [el("s", {}, tokenElement(label)), " "] : [];
    const percent = el("span", { class: `ava-p ava-change${wrong ? " is-wrong" : ""}` }, [...was, t("view.answer.change", numbers) + mark]);
    if (flipped) chip.classList.add("is-flipped");
    const title = `${told} (${ctx.full(before)} → ${ctx.full(after)})`;
    return el("li", {}, el("button", { ...index, title }, named(told, [read, chip, percent])));
  }

  /** A token of the text: how probable it is as the start and as the end of the answer; those of the answer are marked. */
  ofSpan(row, read, index) {
    const { t, ctx, outputs: { span }, outputs } = this;
    const [start, end] = outputs.ends(row);
    const isIn = row >= span.begin && row <= span.end;
    const said = { index: row, read: read.textContent, start: fmtWhole(start), end: fmtWhole(end) };
    const name = t(isIn ? "view.answer.span.in" : "view.answer.span.out", said);
    const shown = (p, key) => el("span", { class: "ava-p", text: p < LEAST_END ? "" : t(key, { percent: fmtWhole(p) }) });
    read.classList.toggle("is-answer", isIn);
    const parts = [read, shown(start, "view.answer.span.start"), shown(end, "view.answer.span.end")];
    return el("li", { class: isIn ? "ava-in" : "" }, el("button", { ...index, title: `${name} (${ctx.full(start)}, ${ctx.full(end)})` }, named(name, parts)));
  }

  /** A place with one number as its output, such as the next value of a series. */
  forecast(row, read, index) {
    const [value] = this.outputs.values(row);
    const told = this.before ? `${this.ctx.fmt(this.before.values(row)[0])} → ${this.ctx.fmt(value)}` : this.ctx.fmt(value);
    const name = this.t("view.answer.forecast", { index: row, read: read.textContent, value: told });
    const said = el("span", { class: "ava-out", text: told });
    return el("li", {}, el("button", { ...index, title: `${name} (${this.ctx.full(value)})` }, named(name, [read, said])));
  }

  /** A tag has the hue of its kind; anything else is the darker the surer the model is. */
  tint(chip, label, p) {
    if (this.outputs.kind === "labels") {
      chip.dataset.hue = String(hueOf(label, Object.values(this.outputs.names)));
      return;
    }
    const colour = this.ctx.palette().sequential(p);
    chip.style.background = css(colour);
    chip.style.color = ink(colour);
  }

  barsOf(row) {
    if (this.outputs.areValues) {
      const values = this.outputs.values(row);
      const rest = values.length > MOST_VALUES ? [el("li", { class: "av-muted", text: this.t("view.answer.after", { n: values.length - MOST_VALUES }) })] : [];
      return [...values.slice(0, MOST_VALUES).map((value) => el("li", { class: "ava-value", title: this.ctx.full(value), text: this.ctx.fmt(value) })), ...rest];
    }
    const background = css(this.ctx.palette().sequential(0.75));
    const right = this.outputs.truth[row] ?? null;
    return this.barValues(row).map(({ label, p, said, title, tick }) => {
      const fill = el("span", { class: "ava-fill" });
      Object.assign(fill.style, { width: `${100 * p}%`, background });
      const mark = label === right ? " ✓" : "";
      const was = el("span", { class: "ava-tick", hidden: tick === undefined });
      if (tick !== undefined) was.style.insetInlineStart = `${100 * tick}%`;
      return el("li", { class: "ava-bar", title }, [
        el("span", { class: "ava-name" }, tokenElement(label)),
        el("span", { class: "ava-p", text: said + mark }),
        el("span", { class: "ava-track", "aria-hidden": "true" }, [fill, was]),
      ]);
    });
  }

  /**
   * What the bars of a row show; after an edit, the first answer of before among them, marked where another one has come.
   * @returns {{label: string, p: number, said: string, title: string, tick?: number}[]}
   */
  barValues(row) {
    const { t, ctx } = this;
    if (!this.before) return this.outputs.candidates(row).slice(0, MOST_BARS).map(({ label, p }) => ({ label, p, said: t("view.panel.percent", { value: fmtWhole(p) }), title: ctx.full(p) }));
    const moved = this.outputs.moved(row, this.before);
    const [first] = this.before.candidates(row);
    const shown = moved.slice(0, MOST_BARS);
    if (!shown.some(({ label }) => label === first.label)) shown[MOST_BARS - 1] = moved.find(({ label }) => label === first.label);
    return shown.map(({ label, before, after, most }, n) => {
      const was = before === undefined ? `< ${fmtWhole(most)}` : fmtWhole(before);
      const mark = n === 0 && label !== first.label ? "⇄ " : "";
      const title = `${before === undefined ? `< ${ctx.full(most)}` : ctx.full(before)} → ${ctx.full(after)}`;
      return { label, p: after, said: mark + t("view.answer.change", { before: was, after: fmtWhole(after) }), title, tick: before };
    });
  }

  /** The column of the chosen query is pressed; one of them can be reached by Tab. */
  mark() {
    const { query, locked } = this.ctx.store.state;
    const chosen = this.outputs && this.linked ? query : null;
    const buttons = /** @type {HTMLElement[]} */ ([...this.list.querySelectorAll(".ava-token")]);
    for (const button of buttons) {
      const mine = Number(button.dataset.row) === chosen;
      button.setAttribute("aria-pressed", String(mine && locked));
      button.classList.toggle("is-query", mine);
      button.tabIndex = -1;
    }
    const at = (row) => buttons.find((button) => Number(button.dataset.row) === row);
    const reached = at(chosen) ?? at(this.onePlace ? this.place : this.outputs?.span?.begin ?? this.outputs?.asked[0]) ?? buttons[0];
    if (reached) reached.tabIndex = 0;
  }

  click(event) {
    const button = event.target.closest(".ava-token");
    if (button) this.choose(Number(button.dataset.row));
  }

  /** Locks the query; where the chosen head has other queries, the last head of the outputs' own comes first. */
  choose(row) {
    const { data, store } = this.ctx;
    if (!this.linked) {
      const site = data.sites.findLastIndex(({ queries }) => queries === this.stack);
      if (site < 0) return;
      chooseHead(this.ctx, site, 0);
    }
    toggleLock(store, { query: row, key: null });
  }

  press(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const from = event.target.closest(".ava-token");
    if (!by || !from) return;
    event.preventDefault();
    const buttons = /** @type {HTMLElement[]} */ ([...this.list.querySelectorAll(".ava-token")]);
    const next = buttons[buttons.indexOf(from) + by];
    if (!next) return;
    this.ctx.store.set({ query: Number(next.dataset.row), key: null, dim: null, locked: true });
    next.focus();
  }

  update(changed) {
    if (changed.has("trace") || changed.has("theme")) this.start();
    if (!this.outputs || !["query", "locked", "site"].some((key) => changed.has(key))) return;
    if (this.onePlace && !this.outputs.whole && this.place !== this.painted) {
      this.painted = this.place;
      this.bars.replaceChildren(...this.barsOf(this.place));
      this.note.textContent = this.where();
    }
    this.mark();
  }
}
