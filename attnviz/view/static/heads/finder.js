/** The heads that were found, laid over the grid: sorted by one way of reading, or those with a label alone. */

import { chosenHeads, valueOf, MEASURES } from "../atlas/rows.js";
import { el } from "../core/dom.js";
import { chooseHead } from "../core/select.js";
import { textOf } from "../core/texts.js";
import { Question } from "../whatif/question.js";
import { TokenSearch } from "./search.js";
import css from "./finder.css";

const LISTED = 6;

export class Finder extends Question {
  /** @param {{ctx: any, data: any, grid: any, over: () => void}} given */
  constructor({ grid, ...given }) {
    super({ ...given, path: "heads", query: {}, waits: [100, 200] });
    this.grid = grid;
    this.body = el("div", { class: "avh-found" });
    this.element.prepend(el("style", { text: css }));
    this.element.append(this.body);
    this.status.textContent = this.ctx.t("view.find.begin");
    grid.element.prepend(this.element);
    this.ask();
  }

  tell(done, total, ahead) {
    super.tell(done, total, ahead);
    if (!ahead && total) this.status.textContent = this.ctx.t("view.find.progress", { done, total });
  }

  say(key, params) {
    return textOf(this.found, key, params);
  }

  nameOf(column) {
    return this.say(`heads.${MEASURES.includes(column) ? "measure" : "way"}.${column}`);
  }

  show(found) {
    this.found = found;
    this.end(this.ctx.t("view.find.done", { n: found.texts }));
    const { sort } = this.ctx.store.state;
    const choose = el("select", { class: "avh-sort", "aria-label": this.ctx.t("view.find.sort"), on: { change: () => this.ctx.store.set({ sort: choose.value }) } },
      [...found.ways, ...MEASURES].map((column) => el("option", { value: column, text: this.nameOf(column), selected: column === sort })));
    const only = el("input", { type: "checkbox", checked: this.ctx.store.state.only, on: { change: () => this.ctx.store.set({ only: only.checked }) } });
    this.list = el("div", { class: "avh-list" });
    this.like = el("div", { class: "avh-list" });
    this.search = new TokenSearch(this.ctx, this.data);
    this.body.replaceChildren(el("label", {}, `${this.ctx.t("view.find.sort")} `, choose), el("label", {}, only, ` ${this.ctx.t("view.find.only")}`), this.list, this.like, this.search.element);
    this.repaint();
    this.element.dataset.ready = "true";
  }

  /** The heads in the order that is asked for; with `only`, those with its label. */
  get rows() {
    const { sort, only } = this.ctx.store.state;
    return chosenHeads(this.found.heads, { label: only && !MEASURES.includes(sort) ? sort : "", sort });
  }

  repaint() {
    const { sort } = this.ctx.store.state;
    const { rows } = this;
    const kept = new Map(rows.map((head) => [`${head.site}/${head.head}`, head]));
    const of = (site, head) => kept.get(`${this.data.site(site).name.split(".w")[0]}/${head}`);
    const isShare = !MEASURES.includes(sort);
    const most = isShare ? 1 : Math.max(1e-9, ...rows.map((head) => Math.abs(valueOf(head, sort) ?? 0)));
    this.grid.showEffects({
      most,
      text: isShare ? (value) => String(Math.round(100 * value)).replace("-", "−") : this.ctx.fmt,
      of: (site, head) => {
        const found = of(site, head);
        return found ? valueOf(found, sort) : null;
      },
      said: (value) => `${this.nameOf(sort)} ${isShare ? Math.round(100 * value) : this.ctx.fmt(value)}`,
    });
    this.list.replaceChildren(...(rows.length ? rows.slice(0, LISTED).map((head) => this.button(head, sort)) : [el("span", { class: "av-muted", text: this.ctx.t("view.find.none") })]));
    this.showLike();
  }

  button(head, sort) {
    const value = valueOf(head, sort);
    const label = head.label ? ` ${this.say(`heads.way.${head.label}`)}` : "";
    const text = `${head.layer}.${head.head}${label}`;
    const name = this.say("heads.name", { stack: this.ctx.t(`view.frame.stack.${head.stack}.${head.kind}`), layer: head.layer, head: head.head });
    const open = () => {
      const site = this.data.sites.findIndex((each) => each.name.split(".w")[0] === head.site);
      if (site >= 0) chooseHead(this.ctx, site, head.head);
    };
    return el("button", { type: "button", class: "av-small", text, title: `${name}${label}${value === null ? "" : ` (${this.ctx.fmt(value)})`}`, "aria-label": `${name}${label}`, on: { click: open } });
  }

  /** The heads whose numbers are nearest to those of the chosen one. */
  showLike() {
    const { site, head, sort } = this.ctx.store.state;
    const name = this.data.site(site).name.split(".w")[0];
    const chosen = this.found.heads.find((each) => each.site === name && each.head === head);
    const like = chosen ? chosen.like.slice(0, LISTED - 2) : [];
    this.like.replaceChildren(...(like.length ? [el("span", { class: "av-muted", text: this.say("heads.like") }), ...like.map((index) => this.button(this.found.heads[index], sort))] : []));
  }

  update(changed) {
    if (!this.found) return;
    if (changed.has("sort") || changed.has("only")) this.repaint();
    else if (changed.has("site") || changed.has("head")) {
      this.showLike();
      this.search.again();
    }
  }

  leave() {
    if (this.gone) return;
    super.leave();
    this.search?.leave();
    this.grid.showEffects(null);
  }

  /** Goes without telling anybody. */
  forget() {
    this.over = () => {};
    this.leave();
  }
}
