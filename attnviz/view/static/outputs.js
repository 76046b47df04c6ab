/** What the model outputs at every position: the most probable candidates with their probabilities. */

import { css, ink } from "./colors.js";
import { tokenElement } from "./format.js";
import { VirtualRows, current, el, stepIndex } from "./panelkit.js";
import { hover, toggleLock } from "./store.js";

const ROW = 26; // height of a position in CSS pixels
const COMPACT = 3; // candidates beside a position; all of them below

/** @returns {{element: HTMLElement, update: (state: object, changed: Set<string>) => void}} */
export function create(ctx) {
  const intro = el("p", { class: "avp-note" });
  const host = el("div", { class: "avp-outputs-list", role: "listbox", tabindex: "0", "aria-label": ctx.t("view.panel.outputs.list") });
  const scroller = el("div", { class: "avp-outputs-scroll" }, host);
  const detail = el("div", { class: "avp-outputs-detail", "aria-live": "polite" });
  const element = el("div", { class: "avp-panel avp-outputs" }, intro, scroller, detail);
  const prefix = `avp-outputs-${Math.random().toString(36).slice(2, 8)}`;
  const rows = new VirtualRows(scroller, host, ROW, makeRow);
  let trace = null; // the trace the list was built for
  let selected = null; // position in the detail, null: the last one
  let pointed = false;

  const outputs = () => ctx.data.header.outputs;
  const labels = () => ctx.data.tokens(outputs().stack);
  const linked = () => current(ctx).site.queries === outputs().stack;
  const percent = (p) => ctx.t("view.panel.percent", { value: ctx.fmt(100 * p) });

  /** The K candidates of a position, most probable first: [{label, p}, ...]. */
  function candidates(position) {
    const [ids, probs] = [ctx.data.array("outputs/ids"), ctx.data.array("outputs/probs")];
    const k = ids.shape[1];
    return Array.from({ length: k }, (_, n) => ({ label: outputs().labels[ids.data[position * k + n]], p: probs.data[position * k + n] }));
  }

  function makeRow(position) {
    const chips = candidates(position)
      .slice(0, COMPACT)
      .map(({ label, p }) => {
        const colour = ctx.palette().sequential(p);
        const chip = el("span", { class: "avp-outputs-chip", title: `${ctx.full(p)}` }, tokenElement(label), el("span", { class: "avp-number" }, percent(p)));
        chip.style.background = css(colour);
        chip.style.color = ink(colour);
        return chip;
      });
    return el(
      "div",
      { class: "avp-outputs-row", role: "option", id: `${prefix}-${position}`, "aria-posinset": position + 1, "aria-setsize": labels().length, "aria-selected": "false" },
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

  host.addEventListener("pointermove", (event) => {
    const position = event.pointerType === "touch" ? null : rows.at(event);
    if (position !== null) point(position, (patch) => hover(ctx.store, patch));
  });
  host.addEventListener("pointerleave", () => linked() && hover(ctx.store, { query: null, key: null }));
  host.addEventListener("click", (event) => {
    const position = rows.at(event);
    if (position !== null) point(position, (patch) => toggleLock(ctx.store, patch));
  });
  host.addEventListener("keydown", (event) => {
    const to = stepIndex(event.key, selected, rows.count);
    if (to !== null) {
      point(to, (patch) => ctx.store.set(patch));
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
    for (const [position, row] of rows.shown) {
      row.classList.toggle("is-focused", position === selected);
      row.setAttribute("aria-selected", String(position === selected));
    }
    if (selected !== null) host.setAttribute("aria-activedescendant", `${prefix}-${selected}`);
    else host.removeAttribute("aria-activedescendant");
  }

  function paintDetail() {
    const position = selected ?? labels().length - 1;
    const list = candidates(position);
    const rest = Math.max(0, 1 - list.reduce((sum, { p }) => sum + p, 0));
    const bar = (p, kind) => {
      const fill = el("span", { class: `avp-outputs-fill ${kind}` });
      fill.style.width = `${100 * p}%`;
      if (!kind) fill.style.background = css(ctx.palette().sequential(0.75));
      return el("span", { class: "avp-outputs-bar" }, fill);
    };
    const line = (name, p, kind = "") => el("li", { title: ctx.full(p) }, name, bar(p, kind), el("span", { class: "avp-number" }, percent(p)));
    detail.replaceChildren(
      el("p", { class: "avp-pair" }, ctx.t(`view.panel.outputs.at.${outputs().kind}`, { index: position }), " ", tokenElement(labels()[position])),
      el("ol", {}, ...list.map(({ label, p }) => line(tokenElement(label), p)), line(el("span", { class: "avp-note" }, ctx.t("view.panel.outputs.rest")), rest, "is-rest")),
    );
  }

  function paint() {
    if (selected !== null && selected >= labels().length) selected = null;
    paintRows();
    paintDetail();
  }

  function update(state, changed) {
    const header = ctx.data.header;
    const fresh = trace !== ctx.data || changed.has("theme");
    if (fresh) {
      trace = ctx.data;
      if (!linked()) selected = null;
      rows.reset(labels().length);
    } else rows.refresh();
    if (fresh || changed.has("site")) {
      intro.textContent = `${ctx.t(`view.panel.outputs.intro.${header.outputs.kind}`, { k: header.outputs.k })}${linked() ? "" : ` ${ctx.t("view.panel.outputs.unlinked")}`}`;
    }
    if (linked() && selected !== state.query) {
      selected = state.query;
      if (selected !== null && !pointed) rows.reveal(selected, true);
      paint();
    } else if (fresh) paint();
    else paintRows();
  }

  return { element, update };
}
