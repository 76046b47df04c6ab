/**
 * What if: asks for a change of the forward pass. A button beside the head's title, a right click, or E on a head or a
 * matrix opens the menu, which comes from the server when it is first asked for; Ctrl+Z undoes the last change.
 */

import { el } from "../core/dom.js";
import { chooseHead } from "../core/select.js";

const EDITABLE = 'input, textarea, select, [contenteditable="true"]';
const UNDO = "undo";
const BREAKS = { 0: ["no-positions", "twin"], 3: ["no-scale", "no-mask"] }; // by the step of the chain that they break

export class WhatIf {
  /**
   * @param {import("../core/context.js").Context} ctx
   * @param {() => any} offered  what the page offers to change; null: nothing
   * @param {(edit: string) => void} send  has the page do it
   * @param {{answer: any, grid: any, data: any, component: any, finder?: any}} parts  whose answer is asked about, and where a map of heads is laid over
   */
  constructor(ctx, offered, send, parts) {
    this.ctx = ctx;
    this.parts = parts;
    this.offered = offered;
    this.send = send;
    this.module = undefined; // the menu's, once it was asked for
    this.menu = undefined;
    this.sweep = undefined;
    this.score = undefined;
    this.element = el("button", {
      type: "button", class: "av-button avw-open", "aria-haspopup": "menu", "aria-expanded": "false", text: ctx.t("view.whatif.open"),
      title: ctx.t("view.whatif.open.help"), on: { click: () => this.open(this.here(), this.element) },
    });
    this.heads = el("button", {
      type: "button", class: "av-small avw-heads", text: ctx.t("view.sweep.open"), title: ctx.t("view.sweep.open.help"), on: { click: () => this.sweepHeads() },
    });
    this.test = el("button", {
      type: "button", class: "av-small avw-heads", text: ctx.t("view.score.open"), title: ctx.t("view.score.open.help"), on: { click: () => this.scoreEdits() },
    });
    this.breaks = new Map(Object.entries(BREAKS).map(([step, names]) => [Number(step), this.breaking(names)]));
    this.onKey = (event) => this.key(event);
    document.addEventListener("keydown", this.onKey);
    this.show();
  }

  destroy() {
    document.removeEventListener("keydown", this.onKey);
    this.menu?.dismiss(false);
    this.leave();
  }

  show() {
    const offers = this.offered();
    this.element.hidden = !offers;
    this.heads.hidden = !offers?.effect;
    this.test.hidden = !offers?.score;
    for (const group of this.breaks.values()) {
      const buttons = /** @type {HTMLElement[]} */ ([...group.querySelectorAll("[data-edit]")]);
      for (const button of buttons) button.hidden = !offers?.[button.dataset.edit]?.edits;
      group.hidden = buttons.every((button) => button.hidden);
    }
    this.heads.setAttribute("aria-disabled", String(Boolean(offers?.effect?.why)));
    this.heads.title = offers?.effect?.why || this.ctx.t("view.sweep.open.help");
  }

  /** Buttons that break a step of the chain; what a model cannot do without stays in the menu, with the reason. */
  breaking(names) {
    const { t } = this.ctx;
    const button = (name) => el("button", {
      type: "button", class: "av-button", text: t(`view.whatif.${name}`), title: t(`view.whatif.look.${name}`),
      dataset: { edit: name }, on: { click: () => this.send(this.offered()[name].edits) },
    });
    return el("span", { class: "av-group avw-breaks", role: "group", "aria-label": t("view.whatif.group.break") }, [
      el("span", { class: "av-label", text: t("view.whatif.break") }), ...names.map(button),
    ]);
  }

  load() {
    this.module ??= this.parts.component.whatIf ?? import(new URL(this.offered().module, document.baseURI).href);
    return this.module;
  }

  /** Asks what each head does to the answer of the chosen place; a second press goes back to the weights. */
  async sweepHeads() {
    const { ctx, parts: { answer, grid } } = this;
    if (this.sweep) return this.sweep.leave();
    if (this.offered().effect.why) return ctx.announce(this.offered().effect.why);
    this.parts.finder?.leave(); // it lies over the same grid
    const { Sweep } = await this.load();
    const { data, row, output } = answer.question;
    this.heads.setAttribute("aria-pressed", "true");
    const over = () => {
      this.heads.setAttribute("aria-pressed", "false");
      this.sweep = undefined;
    };
    this.sweep = new Sweep({ ctx, data, row, output, grid, over });
    return undefined;
  }

  /** The query and the key that are pointed at. */
  here() {
    const { query, key } = this.ctx.store.state;
    return { query, key };
  }

  /** Opens the menu for a place of a matrix, at the pointer, or at the element that has the focus. */
  ask(event, place = this.here()) {
    if (!this.offered()) return;
    event.preventDefault();
    const byPointer = event.type === "contextmenu" && event.pointerType !== "";
    this.open(byPointer ? place : this.here(), event.currentTarget, byPointer ? event : null);
  }

  /** Opens the menu for a head of the grid, which is chosen by that. */
  askOf(event, site, head, focus) {
    if (!this.offered()) return;
    chooseHead(this.ctx, site, head);
    event.preventDefault();
    this.open({ query: null, key: null }, focus, event.type === "contextmenu" && event.pointerType !== "" ? event : null);
  }

  /** Asks what the edits do to the score on test data; a second press takes the answer away. */
  async scoreEdits() {
    const { ctx, parts: { answer, data } } = this;
    if (this.score) return this.score.leave();
    const { Score } = await this.load();
    this.score = new Score({ ctx, data, place: answer.body, metric: this.offered().score, over: () => (this.score = undefined) });
    return undefined;
  }

  async open(place, focus, pointer = null) {
    const again = this.menu?.isOpen && focus === this.element;
    this.menu?.dismiss(false);
    if (again) return;
    const { ctx, send } = this;
    const offers = this.offered();
    const { Menu } = await this.load();
    const { site, head } = ctx.store.state;
    ctx.store.set({ own: true }); // the head stays while its numbers change
    this.menu = new Menu({ ctx, send, offers, place: { site: ctx.data.site(site), head, ...place }, focus, pointer });
  }

  key(event) {
    const { offered, send } = this;
    if (event.key.toLowerCase() !== "z" || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return;
    if (event.target.closest?.(EDITABLE) || !offered()?.undo) return;
    event.preventDefault();
    send(UNDO);
  }

  /** Drop the results that were asked for other numbers. */
  leave() {
    this.sweep?.leave();
    this.score?.leave();
  }

  update(changed) {
    if (changed.has("trace") && !changed.has("side")) this.leave(); // it was of other numbers
    if (changed.has("trace") || changed.has("data")) this.show();
  }
}
