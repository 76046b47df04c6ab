/** Asks which heads read in a way that has a name: a button below the grid; the rest comes when it is first asked for. */

import { oneOf } from "../core/address.js";
import { el } from "../core/dom.js";

export const WAYS = ["previous", "next", "itself", "same", "first", "separator", "induction", "positional"];

export const FINDER = { sort: oneOf("", ["", ...WAYS, "entropy", "distance"]), only: oneOf(false, [false, true]) };

export class FindHeads {
  /** @param {{ctx: any, data: any, grid: any, whatIf: any}} view  whose heads are found, and where they are shown */
  constructor(view) {
    this.view = view;
    this.finder = null;
    const { t } = view.ctx;
    this.button = el("button", {
      type: "button", class: "av-small avw-heads", text: t("view.find.open"), title: t("view.find.open.help"), "aria-pressed": "false",
      on: { click: () => (this.finder ? this.leave() : this.open(WAYS[0])) },
    });
    this.button.hidden = !view.data.header.later?.heads;
    view.grid.element.append(this.button);
    if (view.ctx.store.state.sort) this.open(view.ctx.store.state.sort);
  }

  async open(sort) {
    const { ctx, data, grid, whatIf } = this.view;
    if (this.button.hidden) return;
    whatIf.leave();
    this.button.setAttribute("aria-pressed", "true");
    ctx.store.set({ sort });
    const { Finder } = await ctx.later("heads").catch(() => ({}));
    if (!Finder) {
      ctx.announce(ctx.t("view.frame.problem.network"));
      this.leave();
    } else if (ctx.store.state.sort && !this.finder) this.finder = new Finder({ ctx, data, grid, over: () => this.leave() });
  }

  leave() {
    const { finder } = this;
    this.finder = null;
    this.button.setAttribute("aria-pressed", "false");
    this.view.ctx.store.set({ sort: "", only: false });
    finder?.leave();
  }

  destroy() {
    this.finder?.forget();
  }

  update(changed) {
    if (changed.has("trace") && !changed.has("side") && this.finder) {
      const { sort } = this.view.ctx.store.state;
      this.finder.forget(); // it was of another model, maybe
      this.finder = null;
      this.open(sort);
    } else this.finder?.update(changed);
  }
}
