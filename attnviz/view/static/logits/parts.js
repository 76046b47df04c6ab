/** A logit, or the difference of two, as bars of what the parts of the model wrote directly; a head's bar opens the head. */

import { css } from "../core/colors.js";
import { el } from "../core/dom.js";
import { tokenText } from "../core/format.js";
import { chooseHead } from "../core/select.js";
import { NOWHERE } from "../core/store.js";
import { Answers } from "./asked.js";
import { shorten } from "./told.js";
import logitsCss from "./logits.css";

const MOST = 8; // bars until all are asked for
const NONE = "";

export class Parts {
  /** @param {{ctx: any, outputs: any}} given */
  constructor({ ctx, outputs }) {
    this.ctx = ctx;
    this.t = ctx.t;
    this.outputs = outputs;
    this.found = null;
    this.all = false;
    this.answers = new Answers(ctx, "parts", (found) => this.take(found));
    const choice = (name) => el("select", { class: "avl-select", on: { change: (event) => this.choose(name, event.target.value) } });
    this.selects = { token: choice("token"), against: choice("against") };
    const field = (name) => el("label", { class: "avl-field" }, [el("span", { text: this.t(`view.logits.${name}`) }), this.selects[name]]);
    this.title = el("p", { class: "avl-says", "aria-live": "polite" });
    this.list = el("ol", { class: "avl-bars" });
    this.more = el("button", { type: "button", class: "av-small", "aria-pressed": "false", on: { click: () => this.toggle() } });
    this.note = el("p", { class: "avp-note", text: this.t("view.logits.parts.note") });
    this.more.hidden = true; // until there are parts
    this.element = el("div", { class: "avl" }, [el("style", { text: logitsCss }), el("div", { class: "avl-fields" }, [field("token"), field("against")]), this.title, this.answers.element, this.list, this.more, this.note]);
  }

  /** @param {number} position  row of the outputs */
  show(position) {
    const { token, against } = this.ctx.store.state;
    this.position = position;
    this.offer();
    const query = { row: position, ...(token === null ? {} : { token }), ...(against === null ? {} : { against }), ...(this.all ? { all: 1 } : {}) };
    this.answers.get(query);
  }

  choose(name, value) {
    this.ctx.store.set({ [name]: value === NONE ? null : Number(value) });
  }

  /** The candidates of the position; one that a link names stays among them. */
  offer() {
    const { token, against } = this.ctx.store.state;
    const ids = this.outputs.ids(this.position);
    const list = this.outputs.candidates(this.position).map(({ label }, n) => ({ id: ids[n], label }));
    const option = (id, label) => el("option", { value: String(id) }, tokenText(label));
    for (const [name, chosen] of Object.entries({ token, against })) {
      const first = name === "token" ? this.t("view.logits.likeliest", { token: tokenText(list[0].label) }) : this.t("view.logits.alone");
      const known = list.some(({ id }) => id === chosen) || chosen === null;
      const told = this.found?.[name] ?? `#${chosen}`;
      this.selects[name].replaceChildren(el("option", { value: NONE }, first), ...list.map(({ id, label }) => option(id, label)), ...(known ? [] : [option(chosen, told)]));
      this.selects[name].value = chosen === null ? NONE : String(chosen);
    }
  }

  /** Shows what has come; null: there will be none. */
  take(found) {
    this.found = found;
    for (const part of [this.title, this.list, this.more, this.note]) part.hidden = !found;
    if (found) this.paint();
  }

  paint() {
    const { found, t, ctx } = this;
    const { shown, rest, sum } = shorten(found.parts, this.all ? Infinity : MOST);
    const limit = Math.max(...found.parts.map(({ share }) => Math.abs(share)), Math.abs(rest.share)) || 1;
    const others = rest.count ? [this.bar(el("span", { class: "avp-note" }, t("view.logits.parts.rest", { n: rest.count })), rest.share, limit, null)] : [];
    const head = el("li", { class: "avl-columns" }, ["part", "wrote", "removed"].map((name) => el("span", { text: t(`view.logits.parts.${name}`) })));
    const total = el("li", { class: "is-sum", title: ctx.full(sum) }, [el("span", { text: t(found.against === null ? "view.logits.parts.sum" : "view.logits.parts.sum.against") }), el("span"), el("span", { class: "avp-number", text: ctx.fmt(sum) }), el("span")]);
    this.list.replaceChildren(head, ...shown.map((part) => this.bar(this.name(part), part.share, limit, part.if_removed)), ...others, total);
    this.more.hidden = found.parts.length <= MOST + 1;
    this.says();
    this.offer();
  }

  /** @param {number|null} removed  change of the number without the part; null: not computed */
  bar(name, share, limit, removed) {
    const size = (50 * Math.abs(share)) / limit;
    const fill = el("span", { class: "avp-outputs-fill" });
    const background = css(this.ctx.palette().diverging(Math.sign(share) * 0.75));
    Object.assign(fill.style, { width: `${size}%`, marginInlineStart: `${share < 0 ? 50 - size : 50}%`, background });
    const number = (value, sign = "") => el("span", { class: "avp-number", title: this.ctx.full(value), text: sign + this.ctx.fmt(value) });
    const without = removed === null ? el("span", { class: "avp-number", text: "–" }) : number(removed, removed > 0 ? "+" : "");
    return el("li", {}, [name, el("span", { class: "avl-bar", "aria-hidden": "true" }, fill), number(share), without]);
  }

  /** The name of a part; a head's is a button that opens it. */
  name({ kind, layer, head, site: at }) {
    const { t, ctx } = this;
    if (kind !== "head") return el("span", { text: t(`view.logits.part.${kind.replaceAll(" ", "-")}`, { layer }) });
    const index = ctx.data.sites.findIndex(({ name }) => name === at);
    const cross = ctx.data.site(index)?.kind === "cross";
    const text = t(cross ? "view.logits.part.cross" : "view.logits.part.head", { layer, head });
    if (index < 0) return el("span", { text });
    return el("button", { type: "button", class: "avl-open", text, title: t("view.logits.part.open"), dataset: { site: at, head }, on: { click: () => this.open(index, head) } });
  }

  /** Opens a head at this row, where its queries are the outputs' own tokens. */
  open(site, head) {
    const { ctx, outputs, position } = this;
    chooseHead(ctx, site, head);
    if (!outputs.whole && ctx.data.site(site).queries === outputs.stack) ctx.store.set({ ...NOWHERE, query: position, locked: true });
  }

  /** The number that is split, in a sentence. */
  says() {
    const { t, found, outputs, ctx } = this;
    this.more.textContent = t(this.all ? "view.logits.parts.fewer" : "view.logits.parts.all", { n: found.parts.length });
    const { token, against, logit, position } = found;
    const what = outputs.whole ? t("view.logits.whole") : t("view.logits.position", { index: position, token: tokenText(outputs.tokens[position]) });
    const said = t(against === null ? "view.logits.parts.title" : "view.logits.parts.title.against", { what, token: tokenText(token), against: tokenText(against ?? ""), logit: ctx.fmt(logit) });
    this.title.textContent = said;
  }

  toggle() {
    this.all = !this.all;
    this.more.setAttribute("aria-pressed", String(this.all));
    this.paint();
    this.show(this.position);
  }

  destroy() {
    this.answers.leave();
  }
}
