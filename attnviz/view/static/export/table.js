/** A matrix as a real table, for keyboards, screen readers and people who want the digits. */

import { numberAt } from "../matrix/axis.js";
import { tokenElement } from "../core/format.js";
import { arrowOf, el } from "../core/dom.js";
import { formatOf } from "../core/rounding.js";

const WINDOW = 100; // rows and columns in the document at once

/** The text of an axis entry: its index and its token; the index alone for dimensions, the label alone for names. */
function entry(axis, at) {
  const { kind, labels } = axis;
  if (kind === "names" || kind === "wide") return [labels[at]];
  const index = numberAt(axis, at); // of the token, where some are hidden
  return kind === "dims" ? [index] : [el("span", { class: "avp-index" }, index), tokenElement(labels[at])];
}

class TableDialog {
  constructor(ctx, spec) {
    this.ctx = ctx;
    this.spec = spec;
    this.start = { rows: 0, cols: 0 };
    this.exact = false;
    this.pagers = { rows: this.pager("rows"), cols: this.pager("cols") };
    this.digits = this.button("view.panel.table.full", () => {
      this.exact = !this.exact;
      this.paint();
    });
    this.table = el("table", { class: "avp-table", role: "grid", "aria-label": spec.title, on: { keydown: (event) => this.press(event) } });
    this.box = el("div", { class: "avp-table-scroll" }, this.table);
    const head = el("header", {}, el("h2", {}, spec.title), this.digits, this.button("view.panel.table.close", () => this.dialog.close()));
    const pagers = el("div", { class: "avp-table-pagers" }, this.pagers.rows.element, this.pagers.cols.element);
    const on = {
      keydown: (event) => event.stopPropagation(), // the page's keys stay out of the dialog
      click: (event) => event.target === this.dialog && this.dialog.close(),
    };
    this.dialog = el("dialog", { class: "avp-dialog", "aria-label": spec.title, on }, head, pagers, this.box);
  }

  nameOf(axis) {
    return this.spec[axis].title ?? this.ctx.t(`view.panel.axis.${this.spec[axis].kind}`);
  }

  button(name, act) {
    return el("button", { type: "button", class: "av-button", on: { click: act } }, this.ctx.t(name));
  }

  /** Walks an axis that is longer than a window. */
  pager(axis) {
    const move = (by) => () => {
      this.start[axis] += by;
      this.paint();
    };
    const previous = this.button("view.panel.table.previous", move(-WINDOW));
    const next = this.button("view.panel.table.next", move(WINDOW));
    const label = el("span");
    return { previous, next, label, element: el("div", { class: "avp-table-pager", role: "group", "aria-label": this.nameOf(axis) }, previous, label, next) };
  }

  /** The places of an axis that are in the document; its pager says which. */
  window(axis) {
    const { previous, next, label, element } = this.pagers[axis];
    const count = this.spec.matrix[axis];
    const first = this.start[axis];
    const end = Math.min(count, first + WINDOW);
    element.hidden = count <= WINDOW;
    previous.disabled = first === 0;
    next.disabled = end === count;
    label.textContent = this.ctx.t("view.panel.table.part", { axis: this.nameOf(axis), first, last: end - 1, count });
    return Array.from({ length: end - first }, (_, n) => first + n);
  }

  paint() {
    const { ctx, spec } = this;
    const { matrix } = spec;
    const [rows, cols] = [this.window("rows"), this.window("cols")];
    this.digits.setAttribute("aria-pressed", String(this.exact));
    const show = this.exact ? ctx.full : formatOf(matrix);
    const corner = el("th", { scope: "col", class: "is-corner" }, ctx.t("view.panel.table.corner", { rows: this.nameOf("rows"), cols: this.nameOf("cols") }));
    const headings = cols.map((c) => el("th", { scope: "col" }, entry(spec.cols, c)));
    const row = (r) => el("tr", {}, el("th", { scope: "row" }, entry(spec.rows, r)), cols.map((c) => el("td", {}, show(matrix.data[r * matrix.cols + c]))));
    this.table.replaceChildren(
      el("caption", {}, ctx.t("view.panel.table.caption", { title: spec.title, rows: matrix.rows, cols: matrix.cols })),
      el("thead", {}, el("tr", {}, corner, headings)),
      el("tbody", {}, rows.map(row)),
    );
    this.table.setAttribute("aria-rowcount", String(matrix.rows + 1));
    this.table.setAttribute("aria-colcount", String(matrix.cols + 1));
    [...this.table.rows].forEach((line, r) => {
      line.setAttribute("aria-rowindex", String(r ? this.start.rows + r + 1 : 1));
      [...line.cells].forEach((cell, c) => {
        cell.tabIndex = -1;
        cell.setAttribute("aria-colindex", String(c ? this.start.cols + c + 1 : 1));
      });
    });
    this.reach(this.table.rows[1]?.cells[1]);
  }

  /** The one cell that Tab reaches. */
  reach(cell) {
    const before = this.table.querySelector('[tabindex="0"]');
    if (before) /** @type {HTMLElement} */ (before).tabIndex = -1;
    if (cell) cell.tabIndex = 0;
  }

  /** Arrows walk from cell to cell; Home and End lead to the ends of a row, with Ctrl to those of the table. */
  press(event) {
    const cell = event.target.closest("td, th");
    const { rows } = this.table;
    const [row, col] = [cell.parentElement.rowIndex, cell.cellIndex];
    const [down, across] = arrowOf(event) ?? [0, 0];
    const all = event.ctrlKey || event.metaKey;
    const place = { Home: [all ? 0 : row, 0], End: [all ? rows.length - 1 : row, Infinity] }[event.key] ?? [row + down, col + across];
    const line = rows[Math.min(rows.length - 1, Math.max(0, place[0]))];
    const next = line.cells[Math.min(line.cells.length - 1, Math.max(0, place[1]))];
    if (next === cell) return;
    event.preventDefault();
    this.reach(next);
    next.focus();
  }
}

/**
 * Opens a dialog with the matrix of `spec`; closes with Esc or its button and gives the focus back.
 * @param {Pick<import("../core/context.js").Context, "root"|"t"|"full">} ctx
 * @param {any} spec {title, rows, cols, matrix}
 */
export function openTable(ctx, spec) {
  const opener = /** @type {any} */ (ctx.root.getRootNode()).activeElement;
  const table = new TableDialog(ctx, spec);
  table.dialog.addEventListener("close", () => {
    table.dialog.remove();
    opener?.focus?.();
  });
  table.paint();
  ctx.root.append(table.dialog);
  table.dialog.showModal();
  /** @type {HTMLElement} */ (table.table.querySelector('[tabindex="0"]')).focus();
}
