/** Results that the server computes beside the pages, asked for until they are there: a map of heads, and a score. */

import { el } from "../core/dom.js";
import { fmtWhole, tokenText } from "../core/format.js";

const WAIT_MS = 350;
const who = Math.random().toString(36).slice(2);

const signed = (share) => `${share < 0 ? "−" : "+"}${Math.abs(100 * share).toFixed(1)}`;

/** The largest change of a probability, up or down. Pure. @param {{probability: (number|null)[][], before: {probability: number}}} found */
export function largest({ probability, before }) {
  return Math.max(0, ...probability.flat().map((p) => (p === null ? 0 : Math.abs(p - before.probability))));
}

/** A question to the server, with its progress and a button that ends it. */
class Question {
  /**
   * @param {{ctx: any, data: any, path: string, query: Record<string, any>, over: () => void}} given
   *     data: the trace that is asked about; over: is told when it is left
   */
  constructor({ ctx, data, path, query, over }) {
    this.ctx = ctx;
    this.data = data;
    this.address = (more) => `${path}?${new URLSearchParams({ ...query, who, lang: data.header.lang, ...more })}`;
    this.over = over;
    this.gone = false;
    this.isOver = false;
    this.timer = 0;
    this.status = el("p", { class: "avw-status", role: "status", text: ctx.t("view.sweep.begin") });
    this.bar = el("progress", { class: "avw-progress", max: 1, value: 0, "aria-label": ctx.t("view.sweep.progress") });
    this.close = el("button", { type: "button", class: "av-button", text: ctx.t("view.sweep.cancel"), on: { click: () => this.leave() } });
    this.element = el("div", { class: "avw-sweep" }, [this.status, this.bar, this.close]);
  }

  async ask() {
    try {
      const answer = await this.data.fetch(this.address({}));
      if (!this.gone) this.take(await answer.json());
    } catch (error) {
      if (error.name !== "LoadError") throw error;
      if (!this.gone) this.end(this.ctx.t("view.frame.problem.network"));
    }
  }

  take({ done, total, ahead, result, failed }) {
    const { t } = this.ctx;
    if (failed) this.end(failed);
    else if (result) this.show(result);
    else {
      this.status.textContent = ahead ? t("view.sweep.ahead", { n: ahead }) : t("view.sweep.done", { done, total: total || "…" });
      this.bar.value = total ? done / total : 0;
      this.timer = window.setTimeout(() => this.ask(), WAIT_MS);
    }
  }

  /** @param {any} _result */
  show(_result) {}

  end(said) {
    this.bar.remove();
    this.status.textContent = said;
    this.close.textContent = this.ctx.t("view.sweep.close");
    this.isOver = true;
  }

  leave() {
    if (this.gone) return;
    this.gone = true;
    clearTimeout(this.timer);
    if (!this.isOver) this.data.fetch(this.address({ stop: 1 })).catch(() => {}); // it ends by itself a little later
    this.element.remove();
    this.over();
  }
}

/** The effect of each head on an answer, laid over the grid of heads. */
export class Sweep extends Question {
  /** @param {{ctx: any, data: any, row: number, output: number, grid: any, over: () => void}} given */
  constructor({ row, output, grid, ...given }) {
    super({ ...given, path: "sweep", query: { row, output } });
    this.row = row;
    this.grid = grid;
    grid.element.prepend(this.element);
    this.ask();
  }

  /** The map: a head's colour and number are what the answer gains or loses without it. */
  show(found) {
    const { ctx, data, row } = this;
    const most = largest(found);
    const sites = new Map(found.sites.map((name, n) => [name, found.probability[n]]));
    const { probability: before } = found.before;
    this.end(ctx.t("view.sweep.map", { token: tokenText(found.token), index: row, before: fmtWhole(before), most: ctx.fmt(100 * most) }));
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
    super.leave();
    this.grid.showEffects(null);
  }
}

/** The score on test data before and after the edits. */
export class Score extends Question {
  /** @param {{ctx: any, data: any, place: HTMLElement, metric: string, over: () => void}} given  metric: its name */
  constructor({ place, metric, ...given }) {
    super({ ...given, path: "accuracy", query: {} });
    this.metric = metric;
    this.status.textContent = this.ctx.t("view.score.begin");
    place.append(this.element);
    this.ask();
  }

  show({ before, after, change: [low, high], changed, n }) {
    const { metric, ctx: { t } } = this;
    const numbers = { before: (100 * before).toFixed(1), after: (100 * after).toFixed(1), low: signed(low), high: signed(high), change: signed(after - before), changed, n, metric };
    this.end(t(changed ? "view.score.found" : "view.score.same", numbers));
    this.close.textContent = t("view.score.close");
  }
}
