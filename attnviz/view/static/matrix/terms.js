/**
 * Terms of the glossary on screen: each is a button with a card of one sentence, and one number of what is shown now.
 * The card comes with the pointer, the keyboard or a tap, and goes with Escape.
 */

import { el, zoomOf } from "../core/dom.js";
import { tokenText } from "../core/format.js";
import { queryOf } from "./sentence.js";
import { strongest, visibleWeights } from "./shown.js";

const GAP = 6; // px between a term and its card
const SLOW = 250; // ms before a pointer that rests opens it
const LEAVE = 200; // ms in which the pointer may go over to the card
const FIRST = 3; // numbers of a vector that the card names

/** Stage of the chain -> its term. */
export const TERM_OF = {
  x: "residual-stream", x_kv: "residual-stream", q: "query", k: "key", v: "value", scores: "score", bias: "bias-on-scores", masked: "mask",
  weights: "softmax", context: "context-vector", output: "projection",
  w_q: "projection", w_k: "projection", w_v: "projection", w_o: "projection",
};

const VECTORS = { query: "q", key: "k", value: "v", "context-vector": "context" };

/** One number of what is shown, as a sentence; "" where there is none, or it has not arrived. */
export function liveNumber(ctx, term) {
  const { data, store, t, fmt } = ctx;
  const { state } = store;
  const site = data.site(state.site);
  if (term === "head") return t("view.term.live.head", { head: state.head, n: site.n_heads, layer: site.layer });
  if (term === "layer") return t("view.term.live.layer", { n: new Set(data.sites.filter(({ stack }) => stack === site.stack).map(({ layer }) => layer)).size, layer: site.layer });
  if (term === "d_head") return t("view.term.live.d_head", { n: site.n_heads, d: site.d_head });
  const get = (stage) => data.get(state.site, state.head, stage);
  if (["mask", "causal-mask", "window", "padding"].includes(term)) return maskedPairs(get("masked"), t);
  const shown = visibleWeights(state, ctx);
  const weights = get("weights");
  if (!shown || !weights) return "";
  const row = queryOf(data, state, shown);
  const i = shown.queries.tokens?.[row][0] ?? shown.queries.index?.[row] ?? row;
  const rowWeights = weights.data.subarray(i * weights.cols, (i + 1) * weights.cols);
  const j = strongest(rowWeights);
  const [query, key] = [tokenText(data.tokens(site.queries)[i]), tokenText(data.tokens(site.keys)[j])];
  if (term in VECTORS) {
    const matrix = get(VECTORS[term]);
    if (!matrix) return "";
    const [token, at] = ["query", "context-vector"].includes(term) ? [query, i] : [key, j];
    const numbers = [...matrix.data.subarray(at * matrix.cols, at * matrix.cols + FIRST)].map(fmt).join(", ");
    return t("view.term.live.vector", { token, n: matrix.cols, numbers });
  }
  if (term === "score") return get("scores") ? t("view.term.live.score", { query, key, score: fmt(get("scores").data[i * weights.cols + j]) }) : "";
  if (term !== "softmax") return "";
  return t("view.term.live.softmax", { query, key, weight: fmt(rowWeights[j]), sum: rowWeights.reduce((all, weight) => all + weight, 0).toFixed(3) });
}

function maskedPairs(matrix, t) {
  if (!matrix) return "";
  const n = matrix.data.reduce((count, score) => count + Number(score === -Infinity), 0);
  return t("view.term.live.mask", { n, all: matrix.data.length });
}

export class Terms {
  /**
   * @param {import("../core/context.js").Context} ctx
   * @param {HTMLElement} root  the card lies over it
   */
  constructor(ctx, root) {
    this.ctx = ctx;
    this.root = root;
    this.id = `av-card-${Math.random().toString(36).slice(2, 8)}`;
    this.card = el("div", { class: "av-card", role: "tooltip", id: this.id, hidden: true, on: { pointerenter: () => this.stay(), pointerleave: () => this.leave() } });
    root.append(this.card);
    this.onKey = (event) => this.press(event);
    this.onPoint = (event) => !this.card.contains(event.target) && event.target !== this.described && this.close();
    document.addEventListener("keydown", this.onKey, true);
    document.addEventListener("pointerdown", this.onPoint);
  }

  destroy() {
    this.close();
    document.removeEventListener("keydown", this.onKey, true);
    document.removeEventListener("pointerdown", this.onPoint);
  }

  /** A text as a button with the card of a term. */
  button(term, text) {
    return el("button", {
      type: "button", class: "av-term", text, dataset: { term },
      on: {
        pointerenter: (event) => event.pointerType !== "touch" && this.soon(event.currentTarget),
        pointerleave: (event) => event.pointerType !== "touch" && this.leave(),
        focus: (event) => event.currentTarget.matches(":focus-visible") && this.open(event.currentTarget),
        blur: () => this.close(),
        click: (event) => this.open(event.currentTarget),
      },
    });
  }

  soon(button) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.open(button), SLOW);
  }

  stay() {
    clearTimeout(this.timer);
  }

  leave() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.close(), LEAVE);
  }

  open(button) {
    this.stay();
    if (!button.isConnected) return;
    this.described?.removeAttribute("aria-describedby");
    this.described = button;
    button.setAttribute("aria-describedby", this.id);
    const { t } = this.ctx;
    const { term } = button.dataset;
    const live = liveNumber(this.ctx, term);
    this.card.replaceChildren(
      el("strong", { text: t(`glossary.${term}.term`) }),
      el("p", { text: t(`glossary.${term}.meaning`) }),
      ...(live ? [el("p", { class: "av-card-live", text: live })] : []),
    );
    this.card.hidden = false;
    this.place(button);
  }

  place(button) {
    const [box, at] = [this.root.getBoundingClientRect(), button.getBoundingClientRect()];
    const zoom = zoomOf(this.root);
    const { offsetWidth: width, offsetHeight: height } = this.card;
    const x = Math.max(0, Math.min(box.width / zoom - width, (at.left - box.left) / zoom));
    const below = at.bottom + (GAP + height) * zoom <= window.innerHeight;
    const y = below ? (at.bottom - box.top) / zoom + GAP : (at.top - box.top) / zoom - GAP - height;
    this.card.style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px)`;
  }

  close() {
    this.stay();
    this.card.hidden = true;
    this.described?.removeAttribute("aria-describedby");
    this.described = undefined;
  }

  /** Escape closes the card before it does anything else. */
  press(event) {
    if (event.key !== "Escape" || this.card.hidden) return;
    event.preventDefault();
    this.close();
  }
}
