/**
 * Why: what earlier parts of the model wrote of the locked cell's score. What shows it comes when the tab is first
 * opened; here is only what the address has to know.
 */

import { LoadError } from "../core/data.js";
import { isOwn } from "../core/select.js";
import { Panel } from "./panel.js";

const WALK = /^\d{1,4}(\.\d{1,4}){3}(_\d{1,4}(\.\d{1,4}){3}){0,11}$/;

export class WhyPanel extends Panel {
  static id = "why";

  /** The cells of a walk, the shown one last, each as site.head.query.key: a step of it is one in the browser's history. */
  static fields = { walk: { start: "", read: (text) => (WALK.test(text) ? text : undefined), isStep: true } };

  /** There has to be a server to ask, and a model. */
  static fits(ctx) {
    return Boolean(ctx.data.header.later?.why) && !isOwn(ctx);
  }

  constructor(ctx) {
    super(ctx);
    this.isGone = false;
    /** @type {Panel|undefined} there once its module has come */
    this.shown = undefined;
    this.load();
  }

  async load() {
    const { ctx } = this;
    try {
      const { Why } = await ctx.later("why");
      if (this.isGone) return;
      this.shown = new Why(ctx, this.element);
      if (this.element.isConnected) this.shown.update(ctx.store.state, new Set(["trace"]));
    } catch (error) {
      ctx.failed(error instanceof TypeError ? new LoadError(String(error)) : error);
    }
  }

  update(state, changed) {
    if (this.shown) this.shown.update(state, changed);
    else if (changed.has("retry")) this.load();
  }

  destroy() {
    super.destroy();
    this.isGone = true;
    this.shown?.destroy();
  }
}
