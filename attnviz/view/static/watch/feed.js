/** Asks the server what is new in a run, as long as something goes on and somebody looks. */

import { Damaged } from "./timeline.js";

/** Between two questions; other states: none. What was lost with its process or its disk may go on by itself. */
const WAIT_MS = { running: 250, paused: 1000, queued: 1000, interrupted: 3000, failed: 3000 };
const EXPECTING_MS = 6000; // after a command a run that had ended may begin again
const RETRY_MS = 500;
const UNREADABLE = 409; // the status of a run whose files were damaged
const LONGEST_RETRY_MS = 15000;

/**
 * @typedef {Object} News
 * @property {string} generation
 * @property {boolean} reset  what came before is not valid any more
 * @property {string} state  as in state.json, or "gone": deleted, or renamed
 * @property {number} step
 * @property {number|null} place
 * @property {[number, number]|null} share  cores, and the runs that take turns on them, this one among them
 * @property {string} message
 * @property {number[]} checkpoints
 * @property {string} by  who paused or stopped it, "owner" or "teacher", where that was somebody else, or its sweep:
 *   "rung", to go on soon, "halving" or "pruner"
 * @property {boolean} resumable
 */

class Unreachable extends Error {}

export class Feed {
  /**
   * @param {string} run
   * @param {string} lang
   * @param {(news: News, metrics: Uint8Array, attention: Uint8Array) => Promise<void>} take
   * @param {(problem: {kind: "network"|"gone"|"unreadable", message: string}|null) => void} tell
   */
  constructor(run, lang, take, tell) {
    const url = new URL(`attnviz/runs/${encodeURIComponent(run)}/news`, document.baseURI).href;
    this.url = url;
    this.lang = lang;
    this.take = take;
    this.tell = tell;
    this.generation = ""; // of what was told last, and how many bytes of each file
    this.metrics = 0;
    this.attention = 0;
    this.failures = 0;
    this.expecting = 0;
    this.onVisible = () => document.hidden || this.wake();
    document.addEventListener("visibilitychange", this.onVisible);
    this.wake();
  }

  /** Asks at once; `expecting`: something is about to change, so that it goes on asking for a while. */
  wake(expecting = false) {
    if (expecting) this.expecting = performance.now() + EXPECTING_MS;
    clearTimeout(this.timer);
    if (!this.asking && !this.gone) this.ask();
  }

  async ask() {
    this.asking = true;
    let wait = null;
    try {
      wait = await this.once();
      this.failures = 0;
    } catch (error) {
      if (error instanceof Damaged) {
        this.tell({ kind: "unreadable", message: "" });
      } else if (error instanceof Unreachable) {
        this.tell({ kind: "network", message: "" });
        wait = Math.min(LONGEST_RETRY_MS, RETRY_MS * 2 ** this.failures);
        this.failures += 1;
      } else throw error;
    } finally {
      this.asking = false;
    }
    if (wait !== null && !this.gone && !document.hidden) this.timer = setTimeout(() => this.ask(), wait);
  }

  /** @returns {Promise<number|null>} how long to wait before the next question; null: there is none */
  async once() {
    const { status, bytes } = await this.fetch();
    if (this.gone) return null;
    if (status === UNREADABLE) {
      const { message } = JSON.parse(new TextDecoder().decode(bytes));
      this.tell({ kind: "unreadable", message });
      return LONGEST_RETRY_MS;
    }
    const start = 4 + new DataView(bytes.buffer).getUint32(0, true);
    const news = JSON.parse(new TextDecoder().decode(bytes.subarray(4, start)));
    if (news.state === "gone") {
      this.tell({ kind: "gone", message: news.message });
      return null;
    }
    this.tell(null);
    if (news.reset) Object.assign(this, { generation: news.generation, metrics: 0, attention: 0 });
    const end = start + news.metrics;
    await this.take(news, bytes.subarray(start, end), bytes.subarray(end, end + news.attention));
    this.metrics += news.metrics;
    this.attention += news.attention;
    if (news.state in WAIT_MS) return WAIT_MS[news.state];
    if (news.by === "rung") return WAIT_MS.queued;
    const more = news.metrics + news.attention > 0; // a run that has ended is read to its end
    return more || performance.now() < this.expecting ? WAIT_MS.running : null;
  }

  async fetch() {
    const { generation, metrics, attention, lang } = this;
    try {
      const answer = await fetch(`${this.url}?${new URLSearchParams(/** @type {any} */ ({ generation, metrics, attention, lang }))}`);
      if (answer.ok || answer.status === UNREADABLE) {
        return { status: answer.status, bytes: new Uint8Array(await answer.arrayBuffer()) };
      }
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // a TypeError is what `fetch` says when nobody answers
    }
    throw new Unreachable();
  }

  destroy() {
    this.gone = true;
    clearTimeout(this.timer);
    document.removeEventListener("visibilitychange", this.onVisible);
  }
}
