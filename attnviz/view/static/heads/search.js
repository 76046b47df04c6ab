/** Looks for a token in many texts, and lists the places where the chosen head reads it most; each opens its text there. */

import { el } from "../core/dom.js";
import { fmtPercent, tokenElement } from "../core/format.js";
import { Answers } from "../logits/asked.js";
import { linkWith } from "../show/links.js";

export class TokenSearch {
  /** @param {import("../core/context.js").Context} ctx  @param {any} data  the trace whose model reads */
  constructor(ctx, data) {
    this.ctx = ctx;
    this.t = ctx.t;
    this.data = data;
    this.token = "";
    this.answers = new Answers(ctx, "reads", (found) => this.show(found), { data, done: "view.find.progress" });
    this.field = el("input", { type: "search", class: "avh-sort avh-token", maxlength: 100, autocomplete: "off", "aria-label": this.t("view.find.token"), on: { keydown: (event) => event.stopPropagation() } });
    this.says = el("p", { class: "avh-says", role: "status" });
    this.list = el("ol", { class: "avh-places" });
    this.form = el("form", { class: "avh-list", on: { submit: (event) => this.submit(event) } }, el("label", {}, `${this.t("view.find.token")} `, this.field), el("button", { type: "submit", class: "av-small", text: this.t("view.find.search") }));
    this.element = el("div", { class: "avh-search" }, this.form, this.answers.element, this.says, this.list);
  }

  submit(event) {
    event.preventDefault();
    this.token = this.field.value.trim();
    if (this.token) this.again();
    else this.clear();
  }

  get site() {
    return this.data.site(this.ctx.store.state.site);
  }

  /** Asks for the chosen head. */
  again() {
    if (!this.token) return;
    this.clear();
    this.answers.get({ token: this.token, site: this.site.name.split(".w")[0], head: this.ctx.store.state.head });
  }

  clear() {
    this.answers.leave();
    this.says.textContent = "";
    this.list.replaceChildren();
  }

  /** @param {any} found  null: the reason stands there */
  show(found) {
    if (!found) return;
    const { token, texts, n, places } = found;
    const { layer } = this.site;
    this.says.textContent = this.t(n ? "view.find.places" : "view.find.places.none", { token, texts, n, layer, head: this.ctx.store.state.head });
    this.list.replaceChildren(...places.map((place) => el("li", {}, this.place(place))));
  }

  place({ text, target, query, key, weight, label, around, at }) {
    const { layer, stack, kind } = this.site;
    const head = this.ctx.store.state.head;
    const whole = text === null ? {} : { text, target, edits: null, mode: null };
    const href = linkWith(window.location.href, { ...whole, layer, head, stack, kind, q: query, k: key, lock: 1 });
    const tokens = around.flatMap((each, n) => [n === at ? el("mark", { class: "is-key" }, tokenElement(each)) : tokenElement(each), " "]);
    const reader = el("span", { class: "is-query" }, tokenElement(label));
    return el("a", { href, class: "avh-place" },
      el("span", { class: "avp-number", text: this.t("view.panel.percent", { value: fmtPercent(weight) }) }),
      el("span", { class: "avh-around" }, tokens),
      el("span", { class: "avh-by" }, this.t("view.find.by"), " ", reader, ` #${query}`));
  }

  leave() {
    this.answers.leave();
  }
}
