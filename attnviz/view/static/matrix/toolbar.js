/** The title of the chosen head, its facts, and the tools that act on the whole view. */

import { oneOf } from "../core/address.js";
import { el } from "../core/dom.js";
import { fmt } from "../core/format.js";
import { siteTitle } from "../core/select.js";
import { SIDES } from "../core/sides.js";
import { additiveOf } from "./scoring.js";
import { scaleOf } from "./shade.js";
import { PAIRS, hasSentences, hasWords, sentencesOf } from "./shown.js";
import { hiddenTokens, isByHand } from "./specs.js";

const NAMED = 6; // hidden tokens that the note names

/** Choices of the shown weights: field of the state -> its values, in the order of the buttons. */
const CHOICES = { hide: ["none", "first", "specials"], words: [false, true], pair: ["", ...Object.keys(PAIRS)], scale: ["one", "contrast"], side: ["", "other", "difference"] };

/** The same for the address; without a choice, the scale follows the number of keys. */
export const TOOLS = { ...Object.fromEntries(Object.entries(CHOICES).map(([field, values]) => [field, oneOf(field === "scale" ? "" : values[0], values)])), ...SIDES };

export class Toolbar {
  constructor(ctx) {
    this.ctx = ctx;
    const { t } = ctx;
    this.title = el("h2", { class: "av-title" });
    this.facts = el("p", { class: "av-facts av-muted" });
    this.groups = Object.fromEntries(Object.keys(CHOICES).map((field) => [field, this.group(field)]));
    this.proof = el("span", { class: "av-proof", role: "status" });
    this.download = el("a", { class: "av-button av-download", download: true, text: t("view.frame.npz") });
    this.note = el("div", { class: "av-note", role: "status" });
    this.problem = el("p", { class: "av-problem", role: "alert", hidden: true });
    const end = el("span", { class: "av-toolbar-end" }, [this.proof, this.download]);
    this.element = el("header", { class: "av-head" }, [
      el("div", { class: "av-titles" }, [this.title, this.facts]),
      el("div", { class: "av-toolbar" }, [...Object.values(this.groups), end]),
      el("div", { class: "av-notes" }, [this.note, this.problem]),
    ]);
    this.loadProof();
    this.show();
  }

  group(field) {
    const { t, store, turn } = this.ctx;
    const label = t(`view.frame.${field}.label`);
    const buttons = CHOICES[field].map((value) => el("button", {
      type: "button", class: "av-button", "aria-pressed": "false", text: field === "side" ? "" : t(`view.frame.${field}.${value === "" ? "none" : value}`),
      dataset: { [field]: value }, on: { click: () => (field === "side" ? turn(value) : store.set({ [field]: value })) },
    }));
    const name = el("span", { class: "av-muted av-label", text: label });
    return el("span", { class: "av-group", role: "group", "aria-label": label }, [name, ...buttons]);
  }

  show() {
    const { ctx } = this;
    const { data } = ctx;
    const { state } = ctx.store;
    const site = data.site(state.site);
    this.title.textContent = siteTitle(ctx, site, state.head);
    this.showFacts(this.describe(site, state.head));
    const { isDifference } = data;
    this.groups.hide.hidden = isDifference; // differences are of the weights as they are
    this.groups.words.hidden = isDifference || !hasWords(data, site);
    this.groups.pair.hidden = isDifference || !hasSentences(data, site);
    this.nameSides();
    const chosen = { ...state, scale: scaleOf(state, site, data) };
    for (const [field, group] of Object.entries(this.groups)) {
      for (const button of group.querySelectorAll("button")) {
        button.setAttribute("aria-pressed", String(button.dataset[field] === String(chosen[field])));
      }
    }
    this.note.replaceChildren(...this.notes(state, site).map((text) => el("p", { text })));
    const url = data.header.data_url;
    this.download.hidden = !url;
    if (url) this.download.href = data.url("trace.npz");
  }

  /** The sides have the names that this pair of traces has. */
  nameSides() {
    const { t, sides } = this.ctx;
    this.groups.side.hidden = !sides;
    if (!sides) return;
    for (const button of this.groups.side.querySelectorAll("button")) {
      button.textContent = t(`view.frame.side.${sides.told.names}.${button.dataset.side || "own"}`);
    }
  }

  /** The facts of a head, each with its term of the glossary, if it has one. */
  describe(site, head) {
    const { t, data } = this.ctx;
    const { d_head: width, d_value: value, d_model: model } = site;
    const queries = data.tokens(site.queries).length;
    const facts = [
      [t(`view.frame.facts.quer${queries === 1 ? "y" : "ies"}`, { n: queries }), "query"],
      [t("view.frame.facts.keys", { n: data.tokens(site.keys).length }), "key"],
      [t(site.n_heads === 1 ? "view.frame.facts.head" : "view.frame.facts.heads", { n: site.n_heads }), "head"],
      [t("view.frame.facts.width", { head: width }), "d_head"],
    ];
    const add = (key, params = {}, term = "") => facts.push([t(`view.frame.facts.${key}`, params), term]);
    if (model !== null) add("model", { model }, "d_model");
    if (site.d_key !== width) add("key", { n: site.d_key });
    if (value !== width) add("value", { n: value }, "value");
    if (site.scoring === "additive") add("additive", { n: additiveOf(data, site).wV.length }, "additive-attention");
    if (site.scoring === "dot") add("dot", {}, "dot-product");
    if (site.n_kv_heads !== site.n_heads) add("groups", { n: site.n_kv_heads });
    if (site.causal) add("causal", {}, "causal-mask");
    if (site.window) add("window", { n: site.window }, "window");
    if (site.padding) add("padding", {}, "padding");
    if (site.pairs) add("pairs", {}, "mask");
    if (site.rotary) add("rotary", {}, "rotary-positions");
    if (site.stages.includes("bias")) add("bias", {}, "bias-on-scores");
    if (site.softcap) add("softcap", { n: fmt(site.softcap) }, "soft-cap");
    if (site.sinks) add("sink", { score: fmt(site.sinks[head]) }, "attention-sink");
    return facts;
  }

  showFacts(facts) {
    const text = facts.map(([fact]) => fact).join(" · ");
    if (this.facts.textContent === text) return;
    const { terms } = this.ctx;
    this.facts.replaceChildren(...facts.flatMap(([fact, term], n) => [n ? " · " : "", term ? terms.button(term, fact) : fact]));
  }

  /** Say how the shown weights differ from the head's own, whenever they do. */
  notes(state, site) {
    const { t, data, sides } = this.ctx;
    if (data.isDifference) return [t(`view.frame.side.${sides.told.names}.note`)];
    const notes = [];
    const { edits, data_url: served } = data.header;
    if (edits && !served) notes.push(t("view.frame.edits.note", { edits })); // a server's page has chips
    const { rounding } = data.get(state.site, state.head, "weights") ?? {};
    if (rounding) {
      const step = (1 / rounding.levels).toFixed(rounding.decimals);
      notes.push(t("view.standalone.rounded", { step, site: site.name, head: state.head }));
    }
    if (state.hide !== "none") notes.push(this.hideNote(state));
    if (sentencesOf(data, state)) notes.push(t("view.frame.pair.note", { pair: t(`view.frame.pair.${state.pair}`) }));
    if (scaleOf(state, site, data) === "contrast") notes.push(t("view.frame.scale.note"));
    if (state.words && hasWords(data, site)) notes.push(t("view.frame.words.note"));
    return notes;
  }

  hideNote(state) {
    const { ctx } = this;
    const names = hiddenTokens(ctx, state);
    if (!names.length) return ctx.t("view.frame.hide.nothing");
    const more = names.length > NAMED ? ctx.t("view.frame.hide.more", { n: names.length - NAMED }) : "";
    return ctx.t("view.frame.hide.note", { tokens: names.slice(0, NAMED).join(" ") + more });
  }

  /** The proof that the shown numbers are the model's own. */
  async loadProof() {
    const { data, t } = this.ctx;
    this.proof.textContent = "";
    delete this.proof.dataset.error;
    delete this.proof.dataset.exact;
    if (!data.source) return;
    this.proof.textContent = t("view.frame.proof.waiting");
    try {
      const proof = await (await data.fetch("proof")).json();
      if (data !== this.ctx.data) return; // another trace has come meanwhile
      const key = isByHand(this.ctx) ? "view.frame.proof.hand" : "view.frame.proof";
      this.proof.textContent = t(proof.exact ? key : `${key}.differs`, { error: fmt(proof.max_abs_error) });
      this.proof.dataset.error = String(proof.max_abs_error);
      this.proof.dataset.exact = String(proof.exact);
      this.proof.title = t(`${key}.help`, { n: proof.sites.length });
    } catch (error) {
      if (data !== this.ctx.data) return;
      this.proof.textContent = t("view.frame.proof.missing");
      this.ctx.failed(error);
    }
  }

  /** A calm line with a way on; the picture stays. */
  showProblem(message, action = "", handler = null) {
    this.problem.hidden = false;
    this.problem.replaceChildren(message);
    if (action) this.problem.append(" ", el("button", { type: "button", class: "av-button", text: action, on: { click: handler } }));
  }

  clearProblem() {
    this.problem.hidden = true;
    this.problem.replaceChildren();
  }
  update(changed) {
    if (changed.has("trace")) {
      this.clearProblem();
      this.loadProof();
    }
    if (["trace", "data", "site", "head", ...Object.keys(CHOICES)].some((key) => changed.has(key))) this.show();
  }
}
