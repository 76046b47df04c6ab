/** The outputs of a model that would end after each of its layers: a table of layers and positions. */

import { windowStart } from "../answer/answer.js";
import { css, ink } from "../core/colors.js";
import { el } from "../core/dom.js";
import { fmtPercent, fmtWhole, tokenElement, tokenText } from "../core/format.js";
import { stepIndex } from "../panels/list.js";
import { Answers } from "./asked.js";
import { settledAt } from "./told.js";
import logitsCss from "./logits.css";

const COLUMNS = 48; // positions that the server sends at a time
const KEYS = { ArrowLeft: "ArrowUp", ArrowRight: "ArrowDown", Home: "Home", End: "End" };

export class Lens {
  /** @param {{ctx: any, outputs: any, choose: (position: number, lock: boolean) => void}} given  choose: has the page go to a position */
  constructor({ ctx, outputs, choose }) {
    this.ctx = ctx;
    this.t = ctx.t;
    this.outputs = outputs;
    this.choose = choose;
    this.found = null;
    this.position = 0;
    this.answers = new Answers(ctx, "lens", (found) => this.paint(found));
    this.says = el("p", { class: "avl-says", "aria-live": "polite" });
    this.cue = el("p", { class: "avl-cue" });
    this.table = el("table", { class: "avl-table", role: "grid", tabindex: "0", "aria-label": this.t("view.logits.lens.table"), on: { click: (event) => this.click(event), keydown: (event) => this.press(event) } });
    this.scroller = el("div", { class: "avl-scroll" }, this.table);
    this.note = el("p", { class: "avp-note", text: this.t("view.logits.lens.note") });
    this.element = el("div", { class: "avl" }, [el("style", { text: logitsCss }), this.says, this.cue, this.scroller, this.answers.element, this.note]);
    for (const part of [this.cue, this.scroller]) part.hidden = true; // until there is something in them
    this.prefix = `avl-${Math.random().toString(36).slice(2, 8)}`;
  }

  get count() {
    return this.outputs.whole ? 1 : this.outputs.tokens.length;
  }

  /** @param {number} position  that is chosen, or pointed at */
  show(position) {
    this.position = position;
    const { found } = this;
    if (found && position >= found.start && position < found.start + found.outputs[0].length) this.mark();
    else this.answers.get({ start: windowStart(position, this.count, COLUMNS) });
  }

  /** The table of what has come, in the colours of the page; null: there will be none. */
  paint(found) {
    const { t } = this;
    this.found = found;
    for (const part of [this.says, this.cue, this.scroller, this.note]) part.hidden = !found;
    if (!found) return;
    const { start, length, outputs: rows } = found;
    const columns = Array.from({ length: rows[0].length }, (_, n) => start + n);
    const heads = columns.map((position) => el("th", { scope: "col", role: "columnheader", id: `${this.prefix}-${position}`, dataset: { position }, title: this.name(position) }, this.label(position)));
    const lines = rows.map((_, layer) => el("tr", { role: "row" }, [el("th", { scope: "row", role: "rowheader", text: this.rowName(layer) }), ...columns.map((position, n) => this.cell(layer, n, position))]));
    this.table.replaceChildren(
      el("thead", {}, el("tr", { role: "row" }, [el("th", { scope: "col", role: "columnheader", text: t("view.logits.lens.corner") }), ...heads])),
      el("tbody", {}, lines),
    );
    this.showCue(start, columns.length, length);
    this.element.dataset.start = String(start);
    this.mark();
  }

  /** Which positions of a long text these are, and the way to the others. */
  showCue(start, count, length) {
    const { t } = this;
    this.cue.hidden = count === length;
    const to = (by, name) => el("button", {
      type: "button", class: "av-small", text: t(`view.logits.lens.${name}`), disabled: by < 0 ? start === 0 : start + count >= length,
      on: { click: () => this.answers.get({ start: Math.max(0, Math.min(length - COLUMNS, start + by)) }) },
    });
    this.cue.replaceChildren(to(-COLUMNS, "before"), el("span", { text: t("view.logits.lens.window", { first: start, last: start + count - 1, n: length }) }), to(COLUMNS, "after"));
  }

  label(position) {
    return this.outputs.whole ? this.t("view.logits.whole") : tokenElement(this.outputs.tokens[position]);
  }

  name(position) {
    return this.outputs.whole ? this.t("view.logits.whole") : `${tokenText(this.outputs.tokens[position])} #${position}`;
  }

  rowName(row) {
    if (row === 0) return this.t("view.logits.lens.begin");
    return this.t(row === this.found.outputs.length - 1 ? "view.logits.lens.last" : "view.logits.lens.layer", { layer: row - 1 });
  }

  cell(row, column, position) {
    const { labels, outputs, probabilities } = this.found;
    const [best] = probabilities[row][column];
    const all = outputs[row][column].map((output, n) => `${tokenText(labels[output])} ${fmtPercent(probabilities[row][column][n])}%`);
    const cell = el("td", { role: "gridcell", dataset: { position }, title: all.join(" · ") }, [tokenElement(labels[outputs[row][column][0]]), el("small", { class: "avp-number", text: `${fmtWhole(best)}%` })]);
    const colour = this.ctx.palette().sequential(best);
    cell.style.background = css(colour);
    cell.style.color = ink(colour);
    return cell;
  }

  /** The chosen column, and in words from where on it says what the model says. */
  mark() {
    const { table, position } = this;
    for (const cell of /** @type {NodeListOf<HTMLElement>} */ (table.querySelectorAll("[data-position]"))) cell.classList.toggle("is-chosen", Number(cell.dataset.position) === position);
    const head = /** @type {HTMLElement|null} */ (table.querySelector(`th[data-position="${position}"]`));
    table.setAttribute("aria-activedescendant", `${this.prefix}-${position}`);
    if (head) this.reveal(head);
    this.say();
  }

  /** Scrolls sideways just as far as the chosen column needs. */
  reveal(head) {
    const { scroller } = this;
    const [left, right] = [head.offsetLeft - (this.table.rows[0].cells[0].offsetWidth || 0), head.offsetLeft + head.offsetWidth];
    if (left < scroller.scrollLeft) scroller.scrollLeft = left;
    else if (right > scroller.scrollLeft + scroller.clientWidth) scroller.scrollLeft = right - scroller.clientWidth;
  }

  say() {
    const { t, found: { labels, outputs, start }, position } = this;
    const column = position - start;
    if (!outputs[0][column]) return;
    const row = settledAt(outputs, column);
    const label = (at) => tokenText(labels[outputs[at][column][0]]);
    const what = this.outputs.whole ? t("view.logits.whole") : t("view.logits.position", { index: position, token: tokenText(this.outputs.tokens[position]) });
    const said = { what, token: label(outputs.length - 1), layer: row - 1, before: row ? label(row - 1) : "" };
    this.says.textContent = t(row ? "view.logits.lens.settled" : "view.logits.lens.settled.begin", said);
  }

  click(event) {
    const at = event.target.closest("[data-position]");
    if (at) this.choose(Number(at.dataset.position), true);
  }

  press(event) {
    const to = stepIndex(KEYS[event.key] ?? "", this.position, this.count);
    if (to !== null) this.choose(to, false);
    else if (event.key === "Enter" || event.key === " ") this.choose(this.position, true);
    else return;
    event.preventDefault();
    event.stopPropagation(); // the page's own arrow keys walk heads
  }

  destroy() {
    this.answers.leave();
  }
}
