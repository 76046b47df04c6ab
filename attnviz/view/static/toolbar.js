/** The title of the chosen head, its facts, and the tools that act on the whole view. */

import { el } from "./dom.js";
import { fmt } from "./format.js";
import { visibleWeights } from "./hidden.js";
import { hiddenTokens } from "./specs.js";
import { siteTitle } from "./select.js";

const HIDE = ["none", "first", "specials"];
const NAMED = 6; // hidden tokens that the note names
const EXACT = 1e-4; // largest error that float32 rounding explains

export class Toolbar {
  constructor(ctx) {
    this.ctx = ctx;
    const { t, store } = ctx;
    this.title = el("h2", { class: "av-title" });
    this.facts = el("p", { class: "av-facts av-muted" });
    this.options = HIDE.map((value) => el("button", {
      type: "button", class: "av-button", "aria-pressed": "false", text: t(`view.frame.hide.${value}`), dataset: { hide: value },
      on: { click: () => store.set({ hide: value }) },
    }));
    const group = el("span", { class: "av-group", role: "group", "aria-label": t("view.frame.hide.label") }, [
      el("span", { class: "av-muted av-label", text: t("view.frame.hide.label") }), ...this.options,
    ]);
    this.proof = el("span", { class: "av-proof", role: "status" });
    this.download = el("a", { class: "av-button av-download", download: true, text: t("view.frame.npz") });
    this.note = el("p", { class: "av-note", role: "status" });
    this.problem = el("p", { class: "av-problem", role: "alert", hidden: true });
    this.element = el("header", { class: "av-head" }, [
      el("div", { class: "av-titles" }, [this.title, this.facts]),
      el("div", { class: "av-toolbar" }, [group, this.proof, this.download]),
      el("div", { class: "av-notes" }, [this.note, this.problem]),
    ]);
    this.loadProof();
    this.show();
  }

  show() {
    const { ctx } = this;
    const { state } = ctx.store;
    const site = ctx.data.site(state.site);
    this.title.textContent = siteTitle(ctx, site, state.head);
    this.facts.textContent = this.describe(site);
    for (const option of this.options) option.setAttribute("aria-pressed", String(option.dataset.hide === state.hide));
    this.showNote(state);
    const url = ctx.data.header.data_url;
    this.download.hidden = !url;
    if (url) this.download.href = ctx.data.url("trace.npz");
  }

  describe(site) {
    const { t, data } = this.ctx;
    const parts = [
      t("view.frame.facts.size", { queries: data.tokens(site.queries).length, keys: data.tokens(site.keys).length }),
      t(site.n_heads === 1 ? "view.frame.facts.head" : "view.frame.facts.heads", { n: site.n_heads }),
      t("view.frame.facts.dims", { head: site.d_head, model: site.d_model }),
    ];
    if (site.n_kv_heads !== site.n_heads) parts.push(t("view.frame.facts.groups", { n: site.n_kv_heads }));
    if (site.causal) parts.push(t("view.frame.facts.causal"));
    if (site.window) parts.push(t("view.frame.facts.window", { n: site.window }));
    if (site.rotary) parts.push(t("view.frame.facts.rotary"));
    return parts.join(" · ");
  }

  /** Says which keys are left out, whenever some are; never silently. */
  showNote(state) {
    const { ctx } = this;
    const shown = state.hide === "none" ? undefined : visibleWeights(state, ctx);
    const names = shown ? hiddenTokens(ctx, state, shown.keyIndex) : [];
    if (!shown) this.note.textContent = "";
    else if (!names.length) this.note.textContent = ctx.t("view.frame.hide.nothing");
    else {
      const more = names.length > NAMED ? ctx.t("view.frame.hide.more", { n: names.length - NAMED }) : "";
      this.note.textContent = ctx.t("view.frame.hide.note", { tokens: names.slice(0, NAMED).join(" ") + more });
    }
  }

  /** The proof that the shown numbers are the model's own. */
  async loadProof() {
    const { data, t } = this.ctx;
    this.proof.textContent = "";
    delete this.proof.dataset.error;
    delete this.proof.dataset.exact;
    if (!data.header.data_url) return;
    this.proof.textContent = t("view.frame.proof.waiting");
    try {
      const proof = await (await data.fetch("proof")).json();
      if (data !== this.ctx.data) return; // another trace has come meanwhile
      this.proof.textContent = t("view.frame.proof", { error: fmt(proof.max_abs_error) });
      this.proof.dataset.error = String(proof.max_abs_error);
      this.proof.dataset.exact = String(proof.max_abs_error <= EXACT);
      this.proof.title = t("view.frame.proof.help", { n: proof.sites.length });
    } catch (error) {
      if (data !== this.ctx.data) return;
      this.proof.textContent = t("view.frame.proof.missing");
      this.ctx.failed(error);
    }
  }

  /** A calm line with a way on; the picture stays. */
  showProblem(message, action, handler) {
    this.problem.hidden = false;
    this.problem.replaceChildren(message, " ", el("button", { type: "button", class: "av-button", text: action, on: { click: handler } }));
  }

  clearProblem() {
    this.problem.hidden = true;
    this.problem.replaceChildren();
  }

  /** @param {Set<string>} changed */
  update(changed) {
    if (changed.has("trace")) {
      this.clearProblem();
      this.loadProof();
    }
    if (["trace", "data", "site", "head", "hide"].some((key) => changed.has(key))) this.show();
  }
}
