/** Results that the server computes beside the pages, asked for until they are there. */

import { el } from "../core/dom.js";

const WAIT_MS = 350;
const who = Math.random().toString(36).slice(2);

/** A question to the server, with its progress and a button that ends it. */
export class Question {
  /**
   * @param {{ctx: any, data: any, path: string, query: Record<string, any>, over?: () => void, waits?: number[]}} given
   *     data: the trace that is asked about; over: is told when it is left; waits: ms before the first questions again
   */
  constructor({ ctx, data, path, query, over = () => {}, waits = [] }) {
    this.ctx = ctx;
    this.data = data;
    this.address = (more) => `${path}?${new URLSearchParams({ ...query, who, lang: data.header.lang, ...more })}`;
    this.over = over;
    this.waits = [...waits];
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
      if (!this.gone) this.lost(error);
    }
  }

  take({ done, total, ahead, result, failed }) {
    if (failed) this.end(failed);
    else if (result) this.show(result);
    else {
      this.tell(done, total, ahead);
      this.timer = window.setTimeout(() => this.ask(), this.waits.shift() ?? WAIT_MS);
    }
  }

  tell(done, total, ahead) {
    const { t } = this.ctx;
    this.status.textContent = ahead ? t("view.sweep.ahead", { n: ahead }) : t("view.sweep.done", { done, total: total || "…" });
    this.bar.value = total ? done / total : 0;
  }

  /** @param {import("../core/data.js").LoadError} _error */
  lost(_error) {
    this.end(this.ctx.t("view.frame.problem.network"));
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
