/** What each head does to an answer: asks the server until it knows, and lays the changes over the grid of heads. */

import { el } from "../core/dom.js";
import { fmtWhole, tokenText } from "../core/format.js";

const WAIT_MS = 350;
const who = Math.random().toString(36).slice(2);

/** The largest change of a probability, up or down. Pure. @param {{probability: (number|null)[][], before: {probability: number}}} found */
export function largest({ probability, before }) {
  return Math.max(0, ...probability.flat().map((p) => (p === null ? 0 : Math.abs(p - before.probability))));
}

export class Sweep {
  /**
   * @param {{ctx: any, data: any, row: number, output: number, grid: any, over: () => void}} given
   *     data: the trace that is asked about; over: is told when it is left
   */
  constructor({ ctx, data, row, output, grid, over }) {
    this.ctx = ctx;
    this.data = data;
    this.query = { row, output, who, lang: data.header.lang };
    this.row = row;
    this.grid = grid;
    this.over = over;
    this.status = el("p", { class: "avw-status", role: "status", text: ctx.t("view.sweep.begin") });
    this.bar = el("progress", { class: "avw-progress", max: 1, value: 0, "aria-label": ctx.t("view.sweep.progress") });
    this.close = el("button", { type: "button", class: "av-button", text: ctx.t("view.sweep.cancel"), on: { click: () => this.leave() } });
    this.element = el("div", { class: "avw-sweep" }, [this.status, this.bar, this.close]);
    grid.element.prepend(this.element);
    this.ask();
  }

  get address() {
    return (more) => `sweep?${new URLSearchParams({ ...this.query, ...more })}`;
  }

  async ask() {
    try {
      const answer = await this.data.fetch(this.address({}));
      if (!this.gone) this.take(await answer.json());
    } catch (error) {
      if (!this.gone) this.fail(this.ctx.t("view.frame.problem.network"));
      if (error.name !== "LoadError") throw error;
    }
  }

  take({ done, total, ahead, result, failed }) {
    const { t } = this.ctx;
    if (failed) this.fail(failed);
    else if (result) this.show(result);
    else {
      this.status.textContent = ahead ? t("view.sweep.ahead", { n: ahead }) : t("view.sweep.done", { done, total: total || "…" });
      this.bar.value = total ? done / total : 0;
      this.timer = setTimeout(() => this.ask(), WAIT_MS);
    }
  }

  fail(why) {
    this.bar.remove();
    this.status.textContent = why;
    this.close.textContent = this.ctx.t("view.sweep.close");
    this.isOver = true;
  }

  /** The map: a head's colour and number are what the answer gains or loses without it. */
  show(found) {
    const { ctx, data, row } = this;
    const most = largest(found);
    const sites = new Map(found.sites.map((name, n) => [name, found.probability[n]]));
    const { probability: before } = found.before;
    this.fail(ctx.t("view.sweep.map", { token: tokenText(found.token), index: row, before: fmtWhole(before), most: ctx.fmt(100 * most) }));
    this.grid.showEffects({
      most,
      of: (site, head) => {
        const after = sites.get(data.site(site).name.split(".w")[0])?.[head];
        return after === null || after === undefined ? null : after - before;
      },
      said: (change) => ctx.t("view.sweep.head", { before: fmtWhole(before), after: fmtWhole(before + change) }),
    });
    ctx.announce(this.status.textContent);
  }

  leave() {
    if (this.gone) return;
    this.gone = true;
    clearTimeout(this.timer);
    if (!this.isOver) this.data.fetch(this.address({ stop: 1 })).catch(() => {}); // it ends by itself a little later
    this.element.remove();
    this.grid.showEffects(null);
    this.over();
  }
}
