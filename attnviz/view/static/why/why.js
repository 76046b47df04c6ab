/**
 * Why the locked query reads the locked key: a sentence, what the query and the keys are made of, and, from each head's
 * part, the way to that head's own cell.
 */

import { el } from "../core/dom.js";
import { tokenElement, tokenText } from "../core/format.js";
import { NOWHERE } from "../core/store.js";
import { strongest } from "../matrix/shown.js";
import { current, rowOf } from "../panels/kit.js";
import { Question } from "../whatif/question.js";
import { limitOf, pairTable, sideTable } from "./parts.js";
import { headName, leading, says } from "./says.js";
import { backTo, cellsOf, goneOn } from "./walk.js";
import whyCss from "./why.css";

const WAITS = [40, 60, 80, 120, 200]; // ms: most answers are there within some tenths of a second
const KEPT = 64; // answers
const MARKS = { query: "\uE000", key: "\uE001", source: "\uE002" }; // stand in the sentence where tokens come

/** A question whose answer, or the reason why there is none, is shown in the panel. */
class Asked extends Question {
  /** @param {any} given  panel: it is to show; place: an element for the progress */
  constructor({ panel, place, ...given }) {
    super({ ...given, path: "why", waits: WAITS });
    this.panel = panel;
    this.begun = performance.now();
    this.element.className = "avy-wait";
    this.status.textContent = "";
    this.close.remove(); // whoever looks at something else asks no more
    this.bar.removeAttribute("value");
    place.replaceChildren(this.element);
    this.ask();
  }

  async ask() {
    if (this.element.isConnected) await super.ask();
    else this.leave(); // another tab is open
  }

  tell(_done, _total, ahead) {
    if (this.waits.length) return; // it is about to come
    const { t } = this.ctx;
    const seconds = Math.round((performance.now() - this.begun) / 1000);
    this.status.textContent = ahead ? t("view.sweep.ahead", { n: ahead }) : t("view.why.waiting", { seconds });
  }

  show(result) {
    this.finish();
    this.panel.take(result);
  }

  end(said) {
    this.finish();
    this.panel.say(said);
  }

  lost(error) {
    this.end(this.ctx.t("view.frame.problem.network"));
    this.ctx.failed(error);
  }

  finish() {
    this.isOver = true;
    this.element.remove();
  }
}

export class Why {
  /** @param {import("../core/context.js").Context} ctx  @param {HTMLElement} element  the panel's */
  constructor(ctx, element) {
    this.ctx = ctx;
    this.t = ctx.t;
    this.root = element;
    /** @type {Map<string, any>} */
    this.known = new Map(); // answers, by trace and cell
    this.asked = "";
    /** @type {Asked|undefined} */
    this.question = undefined;
    this.isOpen = false; // the engineers' part
    this.teach = el("p", { class: "avp-teach", text: ctx.t("view.why.teach") });
    this.place = el("div");
    this.answer = el("div", { class: "avy-answer" });
    element.append(el("style", { text: whyCss }), this.teach, this.place, this.answer);
  }

  /** The cell that is asked about: the locked query with the locked key, or the one that it reads most; null: none. */
  get cell() {
    const { state, get } = current(this.ctx);
    const { site, head, query, key, locked } = state;
    const weights = key === null ? get("weights") : null;
    if (!locked || query === null || (key === null && !weights)) return null;
    return { site, head, query, key: key ?? strongest(rowOf(weights, query)) };
  }

  /** The cells that led here, and this one; [] where nothing did. */
  get walk() {
    return this.cell ? cellsOf(this.ctx.store.state.walk, this.cell, this.ctx.data) : [];
  }

  update(state, changed) {
    const { cell } = this;
    const asked = cell ? [this.ctx.data.header.trace, ...Object.values(cell)].join() : "";
    if (state.walk && !this.walk.length) this.ctx.store.set({ walk: "" }); // people went elsewhere
    const isLeft = this.question?.gone && !this.known.has(asked);
    if (asked !== this.asked || isLeft || changed.has("retry")) this.ask(asked, cell);
    else if ((changed.has("theme") || changed.has("walk")) && this.known.has(asked)) this.render();
  }

  ask(asked, cell) {
    const { ctx } = this;
    this.question?.leave();
    this.question = undefined;
    this.asked = asked;
    if (!cell) this.say(this.t("view.why.teach"));
    else if (this.known.has(asked)) this.render();
    else {
      const { data } = ctx;
      this.say("");
      this.answer.classList.add("is-waiting");
      this.answer.setAttribute("aria-busy", "true");
      this.question = new Asked({ ctx, data, query: { ...cell, site: data.site(cell.site).name }, panel: this, place: this.place });
    }
  }

  /** A line in place of everything else. */
  say(text) {
    this.teach.textContent = text;
    this.teach.hidden = text === "";
    this.answer.hidden = text !== "";
    this.answer.classList.remove("is-waiting");
    this.answer.removeAttribute("aria-busy");
  }

  /** Shows what was asked for. */
  take(found) {
    this.known.set(this.asked, found);
    if (this.known.size > KEPT) this.known.delete(this.known.keys().next().value);
    this.render();
  }

  render() {
    const found = this.known.get(this.asked);
    const { ctx, t, cell } = this;
    const { activeElement } = /** @type {Document|ShadowRoot} */ (this.root.getRootNode());
    const hadFocus = this.answer.contains(activeElement);
    const site = ctx.data.site(cell.site);
    const sentence = el("p", { class: "avy-says", tabindex: "-1" }, this.sentence(found, cell));
    const limit = limitOf(found);
    const open = ctx.data.header.choice.frozen ? null : (part) => this.open(cell, part);
    const side = (name, sequence, index) => sideTable(ctx, {
      title: [t(`view.why.side.${name}`), " ", tokenElement(ctx.data.tokens(sequence)[index])], id: `avy-${name}`, side: found[name], limit, open, token: this.token,
    });
    this.say("");
    this.answer.replaceChildren(
      this.crumbs(), sentence, this.score(found), side("queries", site.queries, cell.query), side("keys", site.keys, cell.key), ...this.notes(found), this.details(found),
    );
    if (hadFocus) sentence.focus({ preventScroll: true });
    else ctx.announce(sentence.textContent);
  }

  /** A token in the attributes and names of elements. */
  token = (sequence, index) => this.t("view.why.token", { token: tokenText(this.ctx.data.tokens(sequence)[index]), index });

  /** The sentence with its tokens as elements. */
  sentence(found, { site, query, key }) {
    const { ctx } = this;
    const { queries, keys } = ctx.data.site(site);
    const part = leading(found.keys.parts, found.score - found.row_mean);
    const earlier = part?.kind === "head" ? ctx.data.sites.find(({ name }) => name === part.site) : null;
    const token = (kind, sequence, index) => el("span", { class: `avy-token is-${kind}` }, tokenElement(ctx.data.tokens(sequence)[index]), el("small", { text: ` #${index}` }));
    const elements = {
      [MARKS.query]: () => token("query", queries, query),
      [MARKS.key]: () => token("key", keys, key),
      [MARKS.source]: () => token("source", earlier.keys, part.key),
    };
    return says(ctx, found, MARKS).split(/([\uE000-\uE002])/).map((piece) => elements[piece]?.() ?? piece);
  }

  score({ score, row_mean: mean }) {
    const { fmt } = this.ctx;
    const above = score - mean;
    return el("p", { class: "avp-note avy-score", text: this.t(above < 0 ? "view.why.score.below" : "view.why.score", { score: fmt(score), mean: fmt(mean), above: fmt(Math.abs(above)) }) });
  }

  notes({ rounded }) {
    const { t, ctx: { data } } = this;
    const said = [t("view.why.note.share"), t("view.why.note.removed")];
    if (rounded) said.push(t("view.why.note.rounded", { dtype: rounded }));
    if (data.header.edits) said.push(t("view.why.note.edited"));
    return said.map((text) => el("p", { class: "avp-note", text }));
  }

  details(found) {
    const { t, ctx } = this;
    const { sum_error: sums, linearity_error: linearity, limit, statistics } = found.proof;
    const rows = { mean: ctx.fmt(found.row_mean), allowed: found.allowed, sums: ctx.fmt(sums), linearity: ctx.fmt(linearity), limit: ctx.fmt(limit), statistics };
    return el("details", { class: "avy-more", open: this.isOpen, on: { toggle: (event) => (this.isOpen = event.currentTarget.open) } },
      el("summary", { text: t("view.why.more_numbers") }), pairTable(ctx, found),
      el("dl", {}, Object.entries(rows).flatMap(([name, value]) => [el("dt", { text: t(`view.why.proof.${name}`) }), el("dd", { class: "avp-number", text: String(value) })])));
  }

  /** The cells that were asked about, each a way back. */
  crumbs() {
    const { walk, ctx, t } = this;
    const items = walk.map((cell, at) => {
      const site = ctx.data.site(cell.site);
      const text = t("view.why.step", { head: headName(ctx, site, cell.head), query: this.token(site.queries, cell.query), key: this.token(site.keys, cell.key) });
      const isHere = at === walk.length - 1;
      return el("li", {}, isHere ? el("span", { "aria-current": "step", text }) : el("button", { type: "button", class: "avy-open", text, on: { click: () => this.go(cell, backTo(walk, at)) } }));
    });
    return el("nav", { class: "avy-walk", "aria-label": t("view.why.walk"), hidden: !items.length }, el("ol", {}, items));
  }

  /** Opens the head of a part at the row at which it wrote that. */
  open(from, part) {
    const site = this.ctx.data.sites.findIndex(({ name }) => name === part.site);
    const to = { site, head: part.head, query: part.query, key: part.key };
    this.go(to, goneOn(this.walk, from, to));
  }

  go(cell, walk) {
    const { store } = this.ctx;
    store.set({ ...NOWHERE, ...cell, walk, locked: true, own: true });
    store.flush();
  }

  destroy() {
    this.question?.leave();
  }
}
