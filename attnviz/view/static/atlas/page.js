/** The page of `attnviz atlas`: a table of all heads to sort and filter, and the numbers and examples of one of them. */

import { AddressBar } from "../core/address.js";
import { arrowOf, el } from "../core/dom.js";
import { fmt, tokenElement } from "../core/format.js";
import { textOf } from "../core/texts.js";
import css from "./atlas.css";
import { MEASURES, chosenHeads, linkTo, valueOf, windowOf } from "./rows.js";

class Atlas {
  constructor(data, parent) {
    this.data = data;
    const asked = new URLSearchParams(window.location.hash.slice(1));
    const one = (name, values, start) => (values.includes(asked.get(name)) ? asked.get(name) : start);
    this.address = new AddressBar();
    this.isOfOneKind = new Set(data.heads.map(({ stack, kind }) => `${stack}.${kind}`)).size === 1;
    this.state = {
      lang: one("lang", Object.keys(data.strings), data.lang),
      label: one("label", ["none", ...data.ways], ""),
      sort: one("sort", ["order", ...data.ways, ...MEASURES], "order"),
      head: data.heads.findIndex((head) => `${head.site}:${head.head}` === asked.get("head")),
    };
    this.root = el("div", { class: "atlas" });
    parent.append(el("style", { text: css }), this.root);
    this.show();
  }

  t(key, params) {
    return textOf({ strings: this.data.strings[this.state.lang] }, key, params);
  }

  set(change) {
    Object.assign(this.state, change);
    const { lang, label, sort, head } = this.state;
    const chosen = this.data.heads[head];
    this.address.put({ lang: lang === this.data.lang ? null : lang, label: label || null, sort: sort === "order" ? null : sort, head: chosen ? `${chosen.site}:${chosen.head}` : null });
    this.show();
  }

  nameOf({ layer, stack, kind, head }) {
    return this.t("view.frame.title", { stack: this.t(`view.frame.stack.${stack}.${kind}`), layer, head });
  }

  /** Where all heads are of one kind, without it. */
  shortOf(head) {
    return this.isOfOneKind ? this.t("watch.short_head", head) : this.nameOf(head);
  }

  /** Shows everything anew; whoever moves by keyboard stays where they were. */
  show() {
    const focus = /** @type {HTMLElement} */ (document.activeElement)?.dataset?.focus;
    document.documentElement.lang = this.state.lang;
    const title = this.t("atlas.title", { model: this.data.titles[this.state.lang] });
    document.title = title;
    this.root.replaceChildren(this.header(title), this.controls(), el("div", { class: "atlas-body" }, this.table(), this.detail()));
    this.root.dataset.ready = "true";
    if (focus) /** @type {HTMLElement} */ (this.root.querySelector(`[data-focus="${focus}"]`))?.focus();
  }

  header(title) {
    const { counts, rule, lost } = this.data;
    const [lang, name] = Object.entries(this.data.languages).find(([each]) => each !== this.state.lang);
    const number = (n) => n.toLocaleString("en");
    return el("header", {},
      el("div", { class: "atlas-title" }, el("h1", { text: title }), el("button", { type: "button", lang, text: name, dataset: { focus: "lang" }, on: { click: () => this.set({ lang }) } })),
      el("p", { text: this.t("atlas.told", { heads: number(counts.heads), texts: number(counts.texts), tokens: number(counts.tokens) }) }),
      el("p", { class: "atlas-muted", text: this.t("atlas.rule", rule) }),
      lost.length ? el("p", { role: "alert", text: this.t("atlas.lost", { texts: lost.map(([from, to]) => `${from}–${to}`).join(", ") }) }) : null);
  }

  controls() {
    const { heads, ways } = this.data;
    const count = (label) => chosenHeads(heads, { label, sort: "order" }).length;
    const chip = (label, text) => el("button", { type: "button", class: "atlas-chip", "aria-pressed": String(this.state.label === label), dataset: { focus: `label-${label}` }, on: { click: () => this.set({ label }) } }, text, el("span", { class: "atlas-muted", text: count(label) }));
    const used = ways.filter((way) => count(way) || this.state.label === way);
    return el("div", { class: "atlas-chips", role: "group", "aria-label": this.t("atlas.filter") },
      chip("", this.t("heads.all")), used.map((way) => chip(way, this.t(`heads.way.${way}`))), chip("none", this.t("heads.none")));
  }

  table() {
    const rows = chosenHeads(this.data.heads, this.state);
    if (!rows.length) return el("p", { class: "atlas-muted", text: this.t("atlas.nothing") });
    const columns = [...this.data.ways, ...MEASURES];
    const heading = (column, text, sorted = this.state.sort === column) => el("th", { scope: "col", "aria-sort": sorted ? (column === "order" ? "ascending" : "descending") : "none" },
      el("button", { type: "button", text, dataset: { focus: `sort-${column}` }, on: { click: () => this.set({ sort: column }) } }));
    const nameOf = (column) => this.t(`heads.${MEASURES.includes(column) ? "measure" : "way"}.${column}`);
    const head = el("tr", {}, heading("order", this.t("heads.head")), el("th", { scope: "col", text: this.t("heads.label") }), columns.map((column) => heading(column, nameOf(column))));
    const body = el("tbody", { on: { keydown: (event) => this.press(event, rows) } }, rows.map((each) => this.row(each, columns)));
    return el("div", { class: "atlas-table", tabindex: "-1" }, el("table", {}, el("thead", {}, head), body));
  }

  row(head, columns) {
    const index = this.data.heads.indexOf(head);
    const isChosen = index === this.state.head;
    const cell = (column) => {
      const value = valueOf(head, column);
      if (value === null) return el("td", { text: "–" });
      if (MEASURES.includes(column)) return el("td", { text: fmt(value) });
      return el("td", { text: fmt(Math.round(100 * value)), style: `--share: ${Math.max(0, Math.round(100 * value))}%` });
    };
    const button = el("button", { type: "button", text: this.shortOf(head), "aria-label": this.nameOf(head), "aria-pressed": String(isChosen), dataset: { focus: `head-${index}` }, on: { click: () => this.set({ head: index }) } });
    return el("tr", { class: isChosen ? "atlas-chosen" : "" }, el("th", { scope: "row" }, button), el("td", { class: "atlas-label", text: head.label ? this.t(`heads.way.${head.label}`) : "" }), columns.map(cell));
  }

  /** Arrows up and down choose the head above and below. */
  press(event, rows) {
    const move = arrowOf(event);
    if (!move || !move[0]) return;
    event.preventDefault();
    const at = rows.indexOf(this.data.heads[this.state.head]);
    const next = rows[Math.min(rows.length - 1, Math.max(0, at + move[0]))];
    const index = this.data.heads.indexOf(next);
    this.set({ head: index });
    /** @type {HTMLElement} */ (this.root.querySelector(`[data-focus="head-${index}"]`))?.focus();
  }

  detail() {
    const head = this.data.heads[this.state.head];
    if (!head) return el("section", { class: "atlas-detail" }, el("p", { class: "atlas-muted", text: this.t("atlas.choose") }));
    const params = { entropy: fmt(head.entropy), even: fmt(head.even.entropy), distance: head.distance === null ? "" : fmt(head.distance) };
    return el("section", { class: "atlas-detail", "aria-live": "polite" },
      el("h2", { text: this.nameOf(head) }),
      head.labels.map((label) => this.labelled(head, label)),
      el("p", { text: this.t(head.distance === null ? "atlas.numbers.cross" : "atlas.numbers", params) }),
      this.readings(head), this.examples(head), this.like(head));
  }

  labelled(head, { name, state, effect }) {
    const sink = state === "confirmed" && ["first", "separator"].includes(name);
    const key = state === "weak" && !effect ? "unseen" : sink ? "sink" : state;
    const loss = effect?.loss ?? null;
    const told = [this.t(`heads.about.${name}`, { distance: head.readings[name].distance }), this.t(`heads.state.${key}`, { effect: effect ? fmt(effect.kl) : "", n: effect?.n })];
    if (loss !== null) told.push(this.t("heads.state.loss", { loss: fmt(loss) }));
    return el("p", {}, el("strong", { text: this.t(`heads.way.${name}`) }), ` ${told.join(" ")}`);
  }

  readings(head) {
    const names = ["mass", "chance", "hits"];
    const rows = this.data.ways.filter((way) => head.readings[way].n).map((way) => {
      const reading = head.readings[way];
      return el("tr", {}, el("th", { scope: "row", text: this.t(`heads.way.${way}`) }), names.map((name) => el("td", { text: `${fmt(100 * reading[name])}%` })), el("td", { text: reading.n.toLocaleString("en") }));
    });
    const head_ = [...names, "queries"].map((name) => el("th", { scope: "col", text: this.t(`atlas.${name}`) }));
    return el("table", { class: "atlas-readings" }, el("thead", {}, el("tr", {}, el("td"), head_)), el("tbody", {}, rows));
  }

  examples(head) {
    const { texts, server } = this.data;
    const shown = head.examples.filter(([index]) => texts[index]);
    if (!shown.length) return null;
    return [el("h3", { text: this.t("atlas.examples") }), el("p", { class: "atlas-muted", text: this.t("atlas.marks", { server }) }), ...shown.map((example) => this.example(head, example))];
  }

  example(head, [index, mass, marks]) {
    const text = this.data.texts[index];
    const link = el("a", { href: linkTo(text, head, marks[0]), target: "_blank", rel: "noopener", text: this.t("atlas.example", { n: Number(index) + 1 }) });
    const lines = head.queries === head.keys
      ? [this.tokens(text.sequences[head.keys], marks, { queries: true, keys: true })]
      : [this.tokens(text.sequences[head.queries], marks, { queries: true }), this.tokens(text.sequences[head.keys], marks, { keys: true })];
    return el("article", {}, lines, el("p", {}, link, ` · ${this.t("atlas.mass")} ${fmt(100 * mass)}%`));
  }

  tokens(labels, marks, { queries = false, keys = false }) {
    const places = marks.map(([query, key]) => [queries ? query : key, keys ? key : query, 0]);
    const [from, to] = windowOf(labels.length, places);
    const asks = queries ? new Set(marks.map(([query]) => query)) : new Set();
    const read = new Map(keys ? marks.map((mark) => [mark[1], mark]).reverse() : []);
    const line = el("p", { class: "atlas-tokens" }, from > 0 ? "… " : null);
    for (let place = from; place < to; place += 1) {
      const token = tokenElement(labels[place]);
      if (asks.has(place)) token.classList.add("atlas-query");
      const mark = read.get(place);
      if (mark) {
        token.classList.add("atlas-key");
        token.style.setProperty("--share", `${Math.round(100 * mark[2])}%`);
        token.title = this.t("atlas.mark", { query: mark[0], key: mark[1], weight: fmt(mark[2]) });
      }
      line.append(token, document.createElement("wbr"));
    }
    if (to < labels.length) line.append(" …");
    return line;
  }

  like(head) {
    if (!head.like.length) return null;
    const buttons = head.like.map((index) => {
      const other = this.data.heads[index];
      return el("button", { type: "button", class: "atlas-chip", text: this.shortOf(other), "aria-label": this.nameOf(other), dataset: { focus: `like-${index}` }, on: { click: () => this.set({ head: index }) } });
    });
    return [el("h3", { text: this.t("heads.like") }), el("div", { class: "atlas-chips" }, buttons)];
  }
}

/** @param {Document} page */
export function open(page) {
  const data = JSON.parse(page.getElementById("attnviz-file").textContent);
  new Atlas(data, page.getElementById("attnviz"));
  window.addEventListener("hashchange", () => window.location.reload()); // another link to the same file
}
