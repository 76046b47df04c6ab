/** A map of heads and a score, which the server computes beside the pages. */

import { fmtWhole, tokenText } from "../core/format.js";
import { Question } from "./question.js";

const signed = (share) => `${share < 0 ? "−" : "+"}${Math.abs(100 * share).toFixed(1)}`;

/** The largest change of a probability, up or down. Pure. @param {{probability: (number|null)[][], before: {probability: number}}} found */
export function largest({ probability, before }) {
  return Math.max(0, ...probability.flat().map((p) => (p === null ? 0 : Math.abs(p - before.probability))));
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
