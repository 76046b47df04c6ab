/** The menu of changes: of an edge, a query, a key, a head, or the whole model, as far as the place has them. */

import { el } from "../core/dom.js";
import { tokenText } from "../core/format.js";
import { siteTitle } from "../core/select.js";
import { changesOf, escaped } from "./changes.js";
import menuCss from "./menu.css";

const BREAKS = ["no-positions", "no-scale", "no-mask", "twin"];
const GAP = 4;

export class Menu {
  /** @param {{ctx: any, send: (edit: string) => void, offers: any, place: any, focus: HTMLElement, pointer: PointerEvent|null}} given */
  constructor({ ctx, send, offers, place, focus, pointer }) {
    this.ctx = ctx;
    this.send = send;
    this.offers = offers;
    this.place = place;
    this.focus = focus;
    this.isOpen = true;
    this.note = el("p", { class: "avw-note av-muted", role: "status" });
    const label = ctx.t("view.whatif.menu", { place: siteTitle(ctx, place.site, place.head) });
    const groups = changesOf(place).map(([group, entries]) => this.group(group, entries.map((entry) => this.entry(...entry))));
    const breaks = BREAKS.filter((name) => offers[name]).map((name) => this.break(name, offers[name]));
    const back = offers.back ? this.item("back", ctx.t("view.whatif.back.help"), "", () => this.do(offers.back.edits)) : null;
    this.element = el("div", { class: "avw-menu", role: "menu", "aria-label": label, on: { keydown: (event) => this.press(event) } }, [
      el("style", { text: menuCss }), el("p", { class: "avw-title", text: label }), back, ...groups, this.group("break", breaks), this.note,
    ]);
    this.outside = (event) => {
      const path = event.composedPath();
      if (!path.includes(this.element) && !path.includes(this.focus)) this.dismiss(false);
    };
    document.addEventListener("pointerdown", this.outside, true);
    ctx.root.append(this.element);
    this.put(pointer);
    focus.setAttribute("aria-expanded", "true");
    this.entries[0].focus();
  }

  /** @returns {HTMLElement[]} */
  get entries() {
    return /** @type {HTMLElement[]} */ ([...this.element.querySelectorAll('[role="menuitem"]')]);
  }

  group(name, entries) {
    const { ctx, place } = this;
    const token = (sequence, index) => (index === null ? "" : `${tokenText(ctx.data.tokens(sequence)[index])} #${index}`);
    const tokens = { query: token(place.site.queries, place.query), key: token(place.site.keys, place.key) };
    const label = ctx.t(`view.whatif.group.${name}`, tokens);
    return el("div", { role: "group", "aria-label": label }, [el("p", { class: "avw-group", "aria-hidden": "true", text: label }), ...entries]);
  }

  entry(name, edit, means) {
    const why = name === "patch" ? this.offers.patch.why : "";
    const act = name === "patch" ? (event) => this.askText(event.currentTarget, edit) : () => this.do(edit);
    return this.item(name, this.ctx.t(`view.whatif.means.${means}`), why, act);
  }

  break(name, { edits, why }) {
    const said = name === "twin" ? this.ctx.t("view.whatif.look.twin") : `${this.ctx.t(`view.whatif.look.${name}`)} ${this.ctx.t(`view.whatif.means.${name}`)}`;
    return this.item(name, said, why, () => this.do(edits));
  }

  /** Make an entry; one that cannot be done stays in the list, and says why. */
  item(name, note, why, act) {
    const about = () => (this.note.textContent = why || note);
    return el("button", {
      type: "button", role: "menuitem", tabindex: -1, "aria-disabled": why ? "true" : null, dataset: { edit: name },
      on: { focus: about, pointerenter: about, click: (event) => !why && act(event) },
    }, [this.ctx.t(`view.whatif.${name}`), why ? el("small", { text: why }) : null]);
  }

  /** The second text of a patch is typed in the menu itself. */
  askText(button, edit) {
    const { t } = this.ctx;
    const field = el("input", { type: "text", class: "avw-text", "aria-label": t("view.whatif.patch.text"), placeholder: t("view.whatif.patch.text"), maxlength: 2000 });
    const submit = (event) => {
      event.preventDefault();
      if (field.value.trim()) this.do(`${edit}:${escaped(field.value)}`);
    };
    const form = el("form", { class: "avw-form", on: { submit } }, [field, el("button", { class: "av-button", text: t("view.whatif.patch.do") })]);
    button.replaceWith(form);
    field.focus();
  }

  do(edit) {
    this.dismiss();
    this.send(edit);
  }

  dismiss(refocus = true) {
    if (!this.isOpen) return;
    this.isOpen = false;
    document.removeEventListener("pointerdown", this.outside, true);
    this.element.remove();
    this.focus.setAttribute("aria-expanded", "false");
    if (refocus) this.focus.focus({ preventScroll: true });
  }

  press(event) {
    event.stopPropagation();
    const isTyping = event.target instanceof HTMLInputElement;
    if (event.key === "Escape" || (event.key === "Tab" && !isTyping)) this.dismiss();
    if (!this.isOpen || isTyping) return;
    const { entries } = this;
    const at = entries.indexOf(/** @type {any} */ (this.ctx.root.getRootNode()).activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1 + entries.length, Home: 0, End: entries.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    entries[to % entries.length].focus();
  }

  /** At the pointer, or below what has the focus; inside the window as far as it has room. */
  put(pointer) {
    const box = this.focus.getBoundingClientRect();
    const [x, y] = pointer ? [pointer.clientX, pointer.clientY] : [box.left, Math.min(box.bottom, box.top + 120) + GAP];
    const { offsetWidth: width, offsetHeight: height } = this.element;
    const inside = (at, size, room) => Math.max(GAP, Math.min(at, room - size - GAP));
    this.element.style.left = `${inside(x, width, document.documentElement.clientWidth)}px`;
    this.element.style.top = `${inside(y, height, window.innerHeight)}px`;
  }
}
