/** A list of tokens in a scrolling box: hovering previews, a click locks, arrows walk. Only rows in sight are in the document. */

import { el } from "../core/dom.js";
import { hover, toggleLock } from "../core/store.js";

const AROUND = 6; // rows beyond those in sight
const PAGE = 10; // rows that a page key moves by

/** The index a key press moves to in a list of `count`, or null when the key does not move. */
export function stepIndex(key, index, count) {
  const from = index ?? -1;
  const to = { ArrowDown: from + 1, ArrowUp: index === null ? 0 : from - 1, PageDown: from + PAGE, PageUp: from - PAGE, Home: 0, End: count - 1 }[key];
  return to === undefined ? null : Math.max(0, Math.min(count - 1, to));
}

/**
 * @typedef {Object} ListOptions
 * @property {HTMLElement} scroller  the element that scrolls
 * @property {string} class  of the list, which stands inside the scroller and has the full height
 * @property {string} label  of the list, for the ear
 * @property {number} height  of a row in CSS pixels
 * @property {(index: number) => HTMLElement} make  makes a row
 * @property {(index: number, act: (patch: object) => void) => void} point  has the state's patch for a row done
 * @property {() => number|null} chosen  the row that arrows walk from
 * @property {() => void} leave  what happens when the pointer has left
 * @property {(key: string) => boolean} [across]  whether a key led out of the list
 */

export class TokenList {
  /**
   * @param {import("../core/context.js").Context} ctx
   * @param {ListOptions} options
   */
  constructor(ctx, options) {
    this.store = ctx.store;
    this.options = options;
    this.scroller = options.scroller;
    this.height = options.height;
    this.count = 0;
    /** @type {Map<number, HTMLElement>} rows in the document by their index */
    this.shown = new Map();
    this.prefix = `avp-list-${Math.random().toString(36).slice(2, 8)}`;
    this.host = el("div", {
      class: options.class, role: "listbox", tabindex: "0", "aria-label": options.label,
      on: {
        pointermove: (event) => event.pointerType !== "touch" && this.pointAt(event, (patch) => hover(this.store, patch)),
        pointerleave: options.leave,
        click: (event) => this.pointAt(event, (patch) => toggleLock(this.store, patch)),
        keydown: (event) => this.press(event),
      },
    });
  }

  /** Throws all rows away and starts again with `count` rows. */
  reset(count) {
    this.count = count;
    this.host.style.height = `${count * this.height}px`;
    this.shown.clear();
    this.host.replaceChildren();
    this.refresh();
  }

  /** First and last (exclusive) row in sight. */
  range(margin = 0) {
    const top = this.scroller.scrollTop / this.height;
    const rows = this.scroller.clientHeight / this.height;
    return [Math.max(0, Math.floor(top - margin)), Math.min(this.count, Math.ceil(top + rows + margin))];
  }

  /** Brings the document in step with the scroll position. Returns true when rows were added. */
  refresh() {
    const [first, last] = this.range(AROUND);
    for (const [index, element] of this.shown) {
      if (index >= first && index < last) continue;
      element.remove();
      this.shown.delete(index);
    }
    let added = false;
    for (let index = first; index < last; index += 1) {
      if (this.shown.has(index)) continue;
      this.add(index);
      added = true;
    }
    return added;
  }

  add(index) {
    const element = this.options.make(index);
    const about = { role: "option", id: `${this.prefix}-${index}`, "aria-posinset": index + 1, "aria-setsize": this.count, "aria-selected": "false" };
    for (const [name, value] of Object.entries(about)) element.setAttribute(name, String(value));
    element.style.transform = `translateY(${index * this.height}px)`;
    this.shown.set(index, element);
    this.host.append(element);
  }

  /** Marks the row in focus; null: there is none. */
  mark(chosen) {
    for (const [index, element] of this.shown) {
      element.classList.toggle("is-focused", index === chosen);
      element.setAttribute("aria-selected", String(index === chosen));
    }
    if (chosen === null) this.host.removeAttribute("aria-activedescendant");
    else this.host.setAttribute("aria-activedescendant", `${this.prefix}-${chosen}`);
  }

  pointAt(event, act) {
    const index = Math.floor((event.clientY - this.host.getBoundingClientRect().top) / this.height);
    if (index >= 0 && index < this.count) this.options.point(index, act);
  }

  press(event) {
    if (!this.count) return;
    const { point, chosen, across } = this.options;
    const at = chosen();
    const to = stepIndex(event.key, at, this.count);
    if (to !== null) {
      point(to, (patch) => this.store.set(patch));
      this.reveal(to);
    } else if ((event.key === "Enter" || event.key === " ") && at !== null) {
      point(at, (patch) => toggleLock(this.store, patch));
    } else if (!across?.(event.key)) return;
    event.preventDefault();
    event.stopPropagation(); // the page's own arrow keys walk heads and layers
  }

  /** Scrolls just far enough to show a row, or, if it is out of sight, to its middle. */
  reveal(index, middle = false) {
    const top = index * this.height;
    const { scrollTop, clientHeight } = this.scroller;
    if (top >= scrollTop && top + this.height <= scrollTop + clientHeight) return;
    if (middle) this.scroller.scrollTop = top - (clientHeight - this.height) / 2;
    else if (top < scrollTop) this.scroller.scrollTop = top;
    else this.scroller.scrollTop = top + this.height - clientHeight;
  }
}
