/**
 * The view on a wall, in a frame, or handed out: what is shown of it, and the buttons for that. On a wall there are the
 * answer, one picture and one sentence, half as large again; the arrow keys walk the steps of the picture.
 */

import { el } from "../core/dom.js";
import { unlock } from "../core/store.js";
import { shownParts, wholeLink } from "./links.js";
import { Share } from "./share.js";
import { Tour } from "./tour.js";

const KEY = "p";

export class Show {
  /**
   * @param {import("../core/context.js").Context} ctx
   * @param {import("../matrix/chain.js").Chain|null} chain  null: of a model without attention, which has no steps
   */
  constructor(ctx, chain) {
    this.ctx = ctx;
    this.chain = chain;
    /** @type {Share|undefined} */
    this.dialog = undefined;
    const { t, store } = ctx;
    this.isEmbedded = new URLSearchParams(window.location.search).get("embed") === "true";
    this.tour = chain && new Tour(ctx);
    this.present = el("button", { type: "button", class: "av-button", title: t("view.show.present.help"), text: t("view.show.present"), on: { click: () => store.set({ present: true }) } });
    const tour = this.tour && el("button", { type: "button", class: "av-button avs-start", text: t("view.tour.start"), on: { click: () => this.tour.start() } });
    const share = ctx.data.header.data_url && el("button", { type: "button", class: "av-button", text: t("view.share"), on: { click: () => this.share() } });
    this.element = el("nav", { class: "avs-bar", "aria-label": t("view.show.bar") }, [tour, this.present, share].filter(Boolean));
    this.leave = el("button", { type: "button", class: "av-button avs-leave", text: t("view.show.leave"), on: { click: () => store.set({ present: false }) } });
    this.whole = el("a", { class: "avs-whole", target: "_blank", rel: "noopener", text: t("view.show.whole"), on: { pointerdown: () => this.aim(), focus: () => this.aim() } });
    ctx.root.append(this.leave, this.whole);
    this.onKey = (event) => this.press(event);
    document.addEventListener("keydown", this.onKey, true); // before the picture, whose cells the arrows walk too
    this.apply();
  }

  destroy() {
    document.removeEventListener("keydown", this.onKey, true);
    document.documentElement.removeAttribute("data-av-bare");
    for (const part of [this.tour?.element, this.leave, this.whole, this.dialog?.dialog]) part?.remove();
  }

  /** The whole page of what the frame shows now. */
  aim() {
    this.whole.href = wholeLink(window.location.href);
  }

  share() {
    this.dialog ??= new Share(this.ctx);
    this.dialog.open();
  }

  /** What is shown, on the root for the style sheets; what the page has around the view goes for a while. */
  apply() {
    const { present, show } = this.ctx.store.state;
    const { root } = this.ctx;
    const parts = present ? null : shownParts(show, this.isEmbedded);
    root.toggleAttribute("data-present", present);
    if (parts) root.dataset.show = parts.join(" ");
    else delete root.dataset.show;
    this.leave.hidden = !present;
    this.whole.hidden = !this.isEmbedded;
    this.aim();
    if (present || parts) document.documentElement.dataset.avBare = present ? "wall" : "frame";
    else delete document.documentElement.dataset.avBare;
  }

  press(event) {
    const { store } = this.ctx;
    const { present, tour, locked } = store.state;
    if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || isTyping(event)) return;
    if (event.key.toLowerCase() === KEY) store.set({ present: !present });
    else if (event.key === "Escape" && tour) this.tour.end();
    else if (event.key === "Escape" && locked && !this.chain) unlock(store); // a picture does it by itself
    else if (event.key === "Escape" && present && !locked) store.set({ present: false });
    else if (["ArrowLeft", "ArrowRight"].includes(event.key) && this.chain && (present || tour)) this.walk(event.key === "ArrowRight" ? 1 : -1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** On to the next stop of the tour, or step of the chain; before the first step and after the last are the weights. */
  walk(by) {
    const { store } = this.ctx;
    const { last } = this.chain;
    const { tour, chain } = store.state;
    const next = chain === null ? (by > 0 ? 0 : last) : Math.min(chain, last) + by;
    if (tour) this.tour.go(by);
    else store.set({ chain: next < 0 || next > last ? null : next });
  }

  update(changed) {
    if (changed.has("present") || changed.has("show")) this.apply();
    this.tour?.update(changed);
  }
}

/** Whether a key belongs to a field or an open dialog. */
function isTyping(event) {
  const [target] = event.composedPath();
  return target instanceof HTMLElement && (target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName) || target.closest("dialog") !== null);
}
