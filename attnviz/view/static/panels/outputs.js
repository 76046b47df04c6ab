/**
 * What the model outputs: at every position, or for the whole, the most probable candidates with their probabilities; or
 * values themselves, as of a forecast.
 */

import { css, ink } from "../core/colors.js";
import { fmtPercent, tokenElement } from "../core/format.js";
import { el } from "../core/dom.js";
import { VirtualRows, current, stepIndex } from "./kit.js";
import { hover, toggleLock } from "../core/store.js";

const ROW = 26; // height of a position in CSS pixels
const COMPACT = 3; // candidates beside a position; all of them below

/** @returns {{element: HTMLElement, update: (state: object, changed: Set<string>) => void}} */
export function create(ctx) {
  const intro = el("p", { class: "avp-note" });
  const host = el("div", { class: "avp-outputs-list", role: "listbox", tabindex: "0", "aria-label": ctx.t("view.panel.outputs.list") });
  const scroller = el("div", { class: "avp-outputs-scroll" }, host);
  const detail = el("div", { class: "avp-outputs-detail", "aria-live": "polite" });
  const none = el("p", { class: "avp-teach" }, ctx.t("view.panel.outputs.none"));
  const element = el("div", { class: "avp-panel avp-outputs" }, none, intro, scroller, detail);
  const prefix = `avp-outputs-${Math.random().toString(36).slice(2, 8)}`;
  const rows = new VirtualRows(scroller, host, ROW, makeRow);
  let trace = null; // the trace the list was built for
  let order = []; // positions by row: those that matter most come first
  let selected = null; // position in the detail, null: the one that is shown by default
  let pointed = false;

  const outputs = () => ctx.data.header.outputs;
  const labels = () => ctx.data.tokens(outputs().stack);
  const areValues = () => outputs().kind === "values";
  const whole = () => outputs().kind === "label" || (areValues() && ctx.data.array("outputs/values").shape[0] === 1); // one row for all tokens
  const linked = () => !whole() && current(ctx).site.queries === outputs().stack;
  const percent = (p) => ctx.t("view.panel.percent", { value: fmtPercent(p) });
  const byDefault = () => (outputs().positions.length ? outputs().positions[0] : ["labels", "masked"].includes(outputs().kind) ? 0 : labels().length - 1);

  /** The K candidates of a position, most probable first: [{label, p}, ...]. */
  function candidates(position) {
    const [ids, probs] = [ctx.data.array("outputs/ids"), ctx.data.array("outputs/probs")];
    const k = ids.shape[1];
    return Array.from({ length: k }, (_, n) => ({ label: outputs().labels[ids.data[position * k + n]], p: probs.data[position * k + n] }));
  }

  /** The values at a position. */
  function valuesAt(position) {
    const { data, shape: [, n] } = ctx.data.array("outputs/values");
    return [...data.subarray(position * n, (position + 1) * n)];
  }

  const valueChip = (value) => el("span", { class: "avp-outputs-chip", title: ctx.full(value) }, el("span", { class: "avp-number" }, ctx.fmt(value)));

  function makeRow(index) {
    const position = order[index];
    const chips = areValues() ? valuesAt(position).slice(0, COMPACT).map(valueChip) : candidates(position)
      .slice(0, COMPACT)
      .map(({ label, p }) => {
        const colour = ctx.palette().sequential(p);
        const chip = el("span", { class: "avp-outputs-chip", title: `${ctx.full(p)}` }, tokenElement(label), el("span", { class: "avp-number" }, percent(p)));
        chip.style.background = css(colour);
        chip.style.color = ink(colour);
        return chip;
      });
    const matters = outputs().positions.includes(position);
    return el(
      "div",
      { class: `avp-outputs-row${matters ? " is-asked" : ""}`, role: "option", id: `${prefix}-${position}`, "aria-posinset": index + 1, "aria-setsize": order.length, "aria-selected": "false" },
      el("span", { class: "avp-index" }, position),
      el("span", { class: "avp-outputs-token" }, tokenElement(labels()[position])),
      el("span", { class: "avp-outputs-arrow", "aria-hidden": "true" }, "→"),
      ...chips,
    );
  }

  /** Pointing at a position moves the query when the outputs belong to the queries' own stack. */
  function point(position, act) {
    if (linked()) act({ query: position, key: null });
    else {
      selected = position;
      paint();
    }
  }

  const positionAt = (event) => {
    const index = rows.at(event);
    return index === null ? null : order[index];
  };
  host.addEventListener("pointermove", (event) => {
    const position = event.pointerType === "touch" ? null : positionAt(event);
    if (position !== null) point(position, (patch) => hover(ctx.store, patch));
  });
  host.addEventListener("pointerleave", () => linked() && hover(ctx.store, { query: null, key: null }));
  host.addEventListener("click", (event) => {
    const position = positionAt(event);
    if (position !== null) point(position, (patch) => toggleLock(ctx.store, patch));
  });
  host.addEventListener("keydown", (event) => {
    const to = stepIndex(event.key, selected === null ? null : order.indexOf(selected), rows.count);
    if (to !== null) {
      point(order[to], (patch) => ctx.store.set(patch));
      rows.reveal(to);
    } else if ((event.key === "Enter" || event.key === " ") && selected !== null) {
      point(selected, (patch) => toggleLock(ctx.store, patch));
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
  element.addEventListener("pointerenter", () => (pointed = true));
  element.addEventListener("pointerleave", () => (pointed = false));
  const repaint = () => rows.refresh() && paintRows();
  scroller.addEventListener("scroll", repaint);
  new ResizeObserver(repaint).observe(scroller);

  function paintRows() {
    const position = selected ?? (outputs().positions.length ? byDefault() : null);
    for (const [index, row] of rows.shown) {
      row.classList.toggle("is-focused", order[index] === position);
      row.setAttribute("aria-selected", String(order[index] === position));
    }
    if (position !== null) host.setAttribute("aria-activedescendant", `${prefix}-${position}`);
    else host.removeAttribute("aria-activedescendant");
  }

  function paintDetail() {
    const position = whole() ? 0 : (selected ?? byDefault());
    if (areValues()) return paintValues(position);
    const list = candidates(position);
    const rest = Math.max(0, 1 - list.reduce((sum, { p }) => sum + p, 0));
    const bar = (p, kind) => {
      const fill = el("span", { class: `avp-outputs-fill ${kind}` });
      fill.style.width = `${100 * p}%`;
      if (!kind) fill.style.background = css(ctx.palette().sequential(0.75));
      return el("span", { class: "avp-outputs-bar" }, fill);
    };
    const line = (name, p, kind = "") => el("li", { title: ctx.full(p) }, name, bar(p, kind), el("span", { class: "avp-number" }, percent(p)));
    const all = rest < 1e-5; // a few labels are all that there are
    const title = ctx.t(`view.panel.outputs.at.${outputs().kind}`, { index: position });
    detail.replaceChildren(
      el("p", { class: "avp-pair" }, title, " ", whole() ? null : tokenElement(labels()[position])),
      el("ol", {}, ...list.map(({ label, p }) => line(tokenElement(label), p)), all ? null : line(el("span", { class: "avp-note" }, ctx.t("view.panel.outputs.rest")), rest, "is-rest")),
    );
  }

  /** All values of a position, by their number. */
  function paintValues(position) {
    const title = ctx.t(`view.panel.outputs.at.${whole() ? "whole" : "values"}`, { index: position });
    const values = valuesAt(position);
    const limit = Math.max(...values.map(Math.abs)) || 1;
    const line = (value, n) => {
      const fill = el("span", { class: "avp-outputs-fill" });
      const share = (50 * Math.abs(value)) / limit; // to both sides of the middle
      Object.assign(fill.style, { width: `${share}%`, marginInlineStart: `${value < 0 ? 50 - share : 50}%`, background: css(ctx.palette().diverging(Math.sign(value) * 0.75)) });
      return el("li", { title: ctx.full(value) }, el("span", { class: "avp-note" }, `#${n}`), el("span", { class: "avp-outputs-bar" }, fill), el("span", { class: "avp-number" }, ctx.fmt(value)));
    };
    detail.replaceChildren(
      el("p", { class: "avp-pair" }, title, " ", whole() ? null : tokenElement(labels()[position])),
      el("ol", {}, ...values.map(line)),
    );
  }

  function paint() {
    if (selected !== null && selected >= labels().length) selected = null;
    paintRows();
    paintDetail();
  }

  /** What there is to show, for another trace or other colours. */
  function start() {
    trace = ctx.data;
    if (!linked()) selected = null;
    const positions = outputs().positions;
    const count = whole() ? 0 : labels().length;
    order = [...positions, ...Array.from({ length: count }, (_, n) => n).filter((n) => !positions.includes(n))];
    rows.reset(order.length);
  }

  function introduce() {
    const { kind, k, positions } = outputs();
    const parts = [ctx.t(`view.panel.outputs.intro.${kind}${areValues() && whole() ? ".whole" : ""}`, { k })];
    if (kind === "masked" && !positions.length) parts.push(ctx.t("view.panel.outputs.no_mask"));
    if (!whole() && !linked()) parts.push(ctx.t("view.panel.outputs.unlinked"));
    intro.textContent = parts.join(" ");
  }

  function update(state, changed) {
    none.hidden = Boolean(outputs());
    for (const part of [intro, scroller, detail]) part.hidden = !outputs();
    if (!outputs()) return;
    const fresh = trace !== ctx.data || changed.has("theme");
    scroller.hidden = whole();
    if (fresh) start();
    else rows.refresh();
    if (fresh || changed.has("site")) introduce();
    if (linked() && selected !== state.query) {
      selected = state.query;
      if (selected !== null && !pointed) rows.reveal(order.indexOf(selected), true);
      paint();
    } else if (fresh) paint();
    else paintRows();
  }

  return { element, update };
}
