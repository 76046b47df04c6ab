/** Two traces side by side: the side that the large picture does not show; of their difference, both. */

import { el } from "../core/dom.js";
import { siteTitle } from "../core/select.js";
import { OTHER } from "../core/sides.js";
import { Matrix } from "../matrix/matrix.js";
import { patternText } from "../matrix/pattern.js";
import { visibleSpec } from "../matrix/specs.js";
import { Panel } from "./panel.js";

const WANTED = { "": [OTHER], [OTHER]: [""], difference: ["", OTHER] };
const HEIGHT = 400; // px of the cells, of all matrices together

export class BesidePanel extends Panel {
  static id = "beside";

  static fits(ctx) {
    return Boolean(ctx.sides);
  }

  constructor(ctx) {
    super(ctx);
    /** @type {{side: string, ctx: import("../core/context.js").Context, title: HTMLElement, matrix: Matrix}[]} */
    this.shown = [];
  }

  build(wanted) {
    for (const { matrix } of this.shown) matrix.destroy();
    this.shown = wanted.map((side) => {
      const ctx = this.ctx.sides.facing(this.ctx, side);
      const told = () => patternText(ctx, ctx.store.state);
      return { side, ctx, title: el("h3", { class: "avp-beside-title" }), matrix: new Matrix(ctx, { maxHeight: HEIGHT / wanted.length, zoomable: true, told }) };
    });
    this.none = el("p", { class: "avp-teach", text: this.t("view.frame.side.absent"), hidden: true });
    this.free = el("button", { type: "button", class: "av-button", on: { click: () => this.unpin() } });
    this.element.replaceChildren(...this.shown.flatMap(({ title, matrix }) => [title, matrix.element]), this.free, this.none);
  }

  name(side) {
    return this.t(`view.frame.side.${this.ctx.sides.told.names}.${side || "own"}`);
  }

  /** The other trace shows the same head again as the own one. */
  unpin() {
    const { sides, store } = this.ctx;
    const { side } = store.state;
    store.set({ ...sides.turned({ ...sides.home(store.state), side: "", pin: "" }, side) });
    store.touch("side");
  }

  update(state, changed) {
    const { sides } = this.ctx;
    if (changed.has("trace") || changed.has("side")) this.build(WANTED[state.side]);
    const home = sides.home(state);
    const isThere = sides.beside(home.site, home.head, home.pin) !== null;
    this.none.hidden = isThere;
    this.free.hidden = !home.pin;
    this.free.textContent = this.t("view.panel.beside.unpin", { other: this.name(OTHER), own: this.name("") });
    for (const { side, ctx, title, matrix } of this.shown) {
      const at = ctx.store.state;
      title.hidden = matrix.element.hidden = side === OTHER && !isThere;
      if (title.hidden) continue;
      title.textContent = this.t("view.panel.beside.title", { side: this.name(side), head: siteTitle(ctx, ctx.data.site(at.site), at.head) });
      matrix.show(visibleSpec(ctx, at));
      matrix.update(changed);
      if (!ctx.data.has(at.site, at.head, ["weights"])) ctx.data.load(at.site, [at.head], ["weights"]).catch(this.ctx.failed);
    }
  }

  destroy() {
    super.destroy();
    for (const { matrix } of this.shown) matrix.destroy();
  }
}
