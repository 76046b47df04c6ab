/** Questions to the server for a part that is opened later; their progress is seen where it takes longer than a moment. */

import { el } from "../core/dom.js";
import { Question } from "../whatif/question.js";

const WAITS_MS = [60, 120, 240]; // before one asks again: what takes a moment is there in a moment

class Asked extends Question {
  /** @param {{ctx: any, data: any, path: string, query: Record<string, any>, found: (result: any) => void, refused: () => void, done: string}} given */
  constructor({ found, refused, done, ...given }) {
    super({ ...given, waits: WAITS_MS });
    this.found = found;
    this.refused = refused;
    this.done = done;
    this.element.classList.add("avl-wait");
    this.status.textContent = this.ctx.t("view.logits.begin");
    this.close.remove();
    this.ask();
  }

  tell(done, total, ahead) {
    super.tell(done, total, ahead);
    if (!ahead) this.status.textContent = total ? this.ctx.t(this.done, { done, total }) : this.ctx.t("view.logits.begin");
  }

  show(result) {
    this.isOver = true;
    this.leave();
    this.found(result);
  }

  end(said) {
    super.end(said);
    this.element.classList.remove("avl-wait");
    this.refused();
  }
}

/** Answers to one kind of question, kept: the same is asked for once. The element has what is waited for, or why there is none. */
export class Answers {
  /**
   * @param {any} ctx
   * @param {string} path  what is asked, such as "lens"
   * @param {(found: any) => void} show  is told each answer; null: there is none
   * @param {{data?: any, done?: string}} [source]  who is asked, the trace by default; and the message of how far it is
   */
  constructor(ctx, path, show, { data = ctx.data, done = "view.logits.done" } = {}) {
    this.ctx = ctx;
    this.show = show;
    this.data = data;
    this.done = done;
    this.path = path;
    this.known = new Map();
    this.element = el("div", { class: "avl-asked" });
    this.asked = null;
    this.key = "";
  }

  /** Has the answer shown, at once where it is known. @param {Record<string, any>} query */
  get(query) {
    const key = JSON.stringify(query);
    if (key === this.key) return;
    this.leave();
    this.key = key;
    if (this.known.has(key)) {
      this.show(this.known.get(key));
      return;
    }
    const { ctx, data, done, path } = this;
    const found = (result) => {
      this.known.set(key, result);
      this.show(result);
    };
    this.asked = new Asked({ ctx, data, path, query, done, found, refused: () => this.show(null) });
    this.element.append(this.asked.element);
  }

  leave() {
    this.asked?.leave();
    this.asked = null;
    this.key = "";
  }
}
