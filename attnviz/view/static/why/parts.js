/** Tables of an explanation: the parts of one side with their shares, and the grid of pairs. */

import { css, ink } from "../core/colors.js";
import { fmtCell } from "../core/format.js";
import { el } from "../core/dom.js";
import { partName } from "./says.js";

const TINT = 0.75; // of the scale's end

/** The largest share of both sides: their bars have one scale. */
export const limitOf = ({ queries, keys }) => Math.max(...[queries, keys].flatMap(({ parts, rest }) => [rest, ...parts].map(({ share }) => Math.abs(share)))) || 1;

const number = (ctx, value, sign = "") => el("span", { class: "avp-number", title: ctx.full(value), text: sign + ctx.fmt(value) });
const change = (ctx, value) => number(ctx, value, value > 0 ? "+" : "");

function bar(ctx, share, limit) {
  const size = (50 * Math.abs(share)) / limit;
  const fill = el("span", { class: "avp-outputs-fill" });
  const background = css(ctx.palette().diverging(Math.sign(share) * TINT));
  Object.assign(fill.style, { width: `${size}%`, marginInlineStart: `${share < 0 ? 50 - size : 50}%`, background });
  return el("span", { class: "avp-outputs-bar", "aria-hidden": "true" }, fill);
}

/**
 * The parts of one side. A head's part opens that head.
 * @param {any} ctx
 * @param {{title: (Node|string)[], id: string, side: any, limit: number, open: ((part: any) => void)|null, token: (sequence: string, index: number) => string}} given
 */
export function sideTable(ctx, { title, id, side, limit, open, token }) {
  const { t } = ctx;
  const row = (name, share, removed) => el("tr", {},
    el("th", { scope: "row" }, name), el("td", { class: "avy-share" }, bar(ctx, share, limit), number(ctx, share)), el("td", {}, removed));
  const named = (part) => (part.kind === "head" ? headPart(ctx, part, open, token) : partName(ctx, part));
  const rows = side.parts.map((part) => row(named(part), part.share, change(ctx, part.if_removed)));
  const { count, share } = side.rest;
  if (count) rows.push(row(t("view.why.rest", { n: count }), share, "–"));
  const head = ["part", "share", "removed"].map((name) => el("th", { scope: "col", text: t(`view.why.column.${name}`) }));
  return el("section", { class: "avy-side", "aria-labelledby": id },
    el("h3", { id }, title),
    el("table", { class: "avy-parts", "aria-labelledby": id },
      el("thead", {}, el("tr", {}, head)), el("tbody", {}, rows),
      el("tfoot", {}, el("tr", {}, el("th", { scope: "row", text: t("view.why.together") }), el("td", { class: "avy-share" }, number(ctx, side.sum)), el("td", {})))));
}

function headPart(ctx, part, open, token) {
  const name = partName(ctx, part);
  if (!open) return name;
  const site = ctx.data.sites.find((each) => each.name === part.site);
  const goes = ctx.t("view.why.open", { head: name, query: token(site.queries, part.query), key: token(site.keys, part.key) });
  return el("button", { type: "button", class: "avy-open", title: goes, "aria-label": goes, text: name, on: { click: () => open(part) } });
}

/** Which part of the query meets which part of the key. */
export function pairTable(ctx, { queries, keys, pairs }) {
  const { t } = ctx;
  const names = ({ parts, rest }) => [...parts.map((part) => partName(ctx, part)), ...(rest.count ? [t("view.why.rest", { n: rest.count })] : [])];
  const [rows, columns] = [names(queries), names(keys)];
  const limit = Math.max(...pairs.flat().map(Math.abs)) || 1;
  const cell = (share) => {
    const colour = ctx.palette().diverging(share / limit);
    const box = el("td", { title: ctx.full(share), text: fmtCell(share) });
    Object.assign(box.style, { background: css(colour), color: ink(colour) });
    return box;
  };
  return el("div", { class: "avy-scroll", tabindex: "0", role: "region", "aria-label": t("view.why.pairs") },
    el("table", { class: "avy-pairs" },
      el("caption", { text: t("view.why.pairs") }),
      el("thead", {}, el("tr", {}, el("td", { text: t("view.why.pairs.corner") }), columns.map((name) => el("th", { scope: "col", text: name })))),
      el("tbody", {}, rows.map((name, n) => el("tr", {}, el("th", { scope: "row", text: name }), pairs[n].map(cell))))));
}
