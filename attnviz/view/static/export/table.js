/** A matrix as a real table, for keyboards, screen readers and people who want the digits. */

import { numberAt } from "../matrix/axis.js";
import { tokenElement } from "../core/format.js";
import { el } from "../core/dom.js";
import { formatOf } from "../core/rounding.js";

const WINDOW = 100; // rows and columns in the document at once

/** The text of an axis entry: its index and its token; the index alone for dimensions, the label alone for names. */
function entry(axis, at) {
  const { kind, labels } = axis;
  if (kind === "names") return [labels[at]];
  const index = numberAt(axis, at); // of the token, where some are hidden
  return kind === "dims" ? [index] : [el("span", { class: "avp-index" }, index), tokenElement(labels[at])];
}

/**
 * Opens a dialog with the matrix of `spec`; closes with Esc or its button and gives the focus back.
 * @param {Pick<import("../core/context.js").Context, "root"|"t"|"full">} ctx
 * @param {any} spec {title, rows, cols, matrix}
 */
export function openTable(ctx, spec) {
  const { matrix } = spec;
  const opener = /** @type {any} */ (ctx.root.getRootNode()).activeElement;
  const nameOf = (axis) => spec[axis].title ?? ctx.t(`view.panel.axis.${spec[axis].kind}`);
  const start = { rows: 0, cols: 0 };
  let exact = false;

  const button = (name, act) => {
    const element = el("button", { type: "button", class: "av-button" }, ctx.t(name));
    element.addEventListener("click", act);
    return element;
  };
  const move = (axis, by) => () => {
    start[axis] += by;
    paint();
  };
  const pager = (axis) => {
    const previous = button("view.panel.table.previous", move(axis, -WINDOW));
    const next = button("view.panel.table.next", move(axis, WINDOW));
    const label = el("span", {});
    return { previous, next, label, element: el("div", { class: "avp-table-pager", role: "group", "aria-label": nameOf(axis) }, previous, label, next) };
  };
  const pagers = { rows: pager("rows"), cols: pager("cols") };
  const close = button("view.panel.table.close", () => dialog.close());
  const digits = button("view.panel.table.full", () => {
    exact = !exact;
    paint();
  });
  const caption = el("caption", {});
  const table = el("table", { class: "avp-table" });
  const box = el("div", { class: "avp-table-scroll", tabindex: "0", role: "region", "aria-label": spec.title }, table);
  const heading = el("h2", {}, spec.title);
  const dialog = el("dialog", { class: "avp-dialog", "aria-label": spec.title }, el("header", {}, heading, digits, close), el("div", { class: "avp-table-pagers" }, pagers.rows.element, pagers.cols.element), box);

  function paint() {
    const range = {};
    for (const axis of ["rows", "cols"]) {
      const count = matrix[axis];
      const end = Math.min(count, start[axis] + WINDOW);
      range[axis] = [start[axis], end];
      const { previous, next, label, element } = pagers[axis];
      element.hidden = count <= WINDOW;
      previous.disabled = start[axis] === 0;
      next.disabled = end === count;
      label.textContent = ctx.t("view.panel.table.part", { axis: nameOf(axis), first: start[axis], last: end - 1, count });
    }
    digits.setAttribute("aria-pressed", String(exact));
    const show = exact ? ctx.full : formatOf(matrix);
    const [[r0, r1], [c0, c1]] = [range.rows, range.cols];
    const span = (from, to) => Array.from({ length: to - from }, (_, n) => from + n);
    const corner = ctx.t("view.panel.table.corner", { rows: nameOf("rows"), cols: nameOf("cols") });
    caption.textContent = ctx.t("view.panel.table.caption", { title: spec.title, rows: matrix.rows, cols: matrix.cols });
    table.replaceChildren(
      caption,
      el("thead", {}, el("tr", {}, el("th", { scope: "col", class: "is-corner" }, corner), ...span(c0, c1).map((c) => el("th", { scope: "col" }, ...entry(spec.cols, c))))),
      el("tbody", {}, ...span(r0, r1).map((r) => el("tr", {}, el("th", { scope: "row" }, ...entry(spec.rows, r)), ...span(c0, c1).map((c) => el("td", {}, show(matrix.data[r * matrix.cols + c])))))),
    );
  }

  dialog.addEventListener("keydown", (event) => event.stopPropagation()); // the page's keys stay out of the dialog
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("close", () => {
    dialog.remove();
    opener?.focus?.();
  });
  paint();
  ctx.root.append(dialog);
  dialog.showModal();
  box.focus();
}
