/** The place of a cell over training (`formed.js`), which comes when it is first asked for. */

import { el } from "../core/dom.js";

export class Over {
  constructor(ctx) {
    this.ctx = ctx;
    this.element = el("div", { class: "aw-over", hidden: true });
    this.part = null;
  }

  destroy() {
    this.isGone = true;
    this.part?.destroy();
  }

  update(changed) {
    const { why } = this.ctx.store.state;
    this.element.hidden = !why;
    if (!why) return;
    if (this.part) this.part.update(changed.has("why") ? new Set([...changed, "theme"]) : changed);
    else if (!this.asked) this.load();
  }

  async load() {
    const { ctx } = this;
    this.asked = true;
    try {
      const { Formed } = await import(new URL(ctx.header.later.formed, document.baseURI).href);
      if (this.isGone) return;
      this.part = new Formed(ctx);
      this.element.replaceChildren(this.part.element);
      this.part.update(new Set(["why", "at"]));
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // the module did not come
      this.asked = false;
      this.element.textContent = ctx.t("watch.problem.network");
    }
  }
}
