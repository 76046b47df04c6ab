/** The time slider: one position in the run's history for everything that is shown; played as an animation. */

import { el } from "../core/dom.js";
import { icon } from "./icons.js";

const WHOLE_MS = 8000; // that playing all of the history takes
const LONGEST = 7000; // letters of an address; a common proxy takes 8 kB
const CALM = { stops: 12, ms: 700 }; // without motion: a few pictures, one after the other

/** The address of a checkpoint in the Explorer: on the same sequence, at the same head. */
export function explorerAddress({ run, sites, sequences }, { site: at, head, seq }, step, lang) {
  const [text, target] = sequences[seq].typed;
  const { layer, stack, kind } = sites[at] ?? {};
  const link = new URLSearchParams({ model: `run/${run}@${step}`, ...(target ? { text, target } : { text }), ...(sites[at] ? { layer, head, stack, kind } : {}), lang });
  if (link.toString().length > LONGEST) link.delete("text"); // it begins with another one
  return `./?${link}`;
}

export class TimeBar {
  constructor(ctx) {
    this.ctx = ctx;
    const { t } = ctx;
    this.calm = window.matchMedia("(prefers-reduced-motion: reduce)");
    this.play = el("button", { type: "button", class: "av-button aw-button", on: { click: () => (this.playing ? this.pause() : this.start()) } });
    this.slider = el("input", { type: "range", class: "aw-range aw-time", min: "0", max: "0", step: "1", value: "0", disabled: true, "aria-label": t("watch.time"), on: {
      input: () => this.moved(),
      keydown: (event) => event.stopPropagation(), // its arrows are its own
    } });
    this.text = el("output", { class: "aw-time-text" });
    this.newest = el("button", { type: "button", class: "av-button aw-button", title: t("watch.newest.help"), on: { click: () => this.follow() } }, [icon("newest"), el("span", { text: t("watch.newest") })]);
    this.explorer = el("a", { class: "aw-link" });
    this.element = el("section", { class: "aw-time-row", "aria-label": t("watch.time") }, [this.play, this.slider, this.text, this.newest, this.explorer]);
    this.showPlay();
  }

  destroy() {
    this.pause();
  }

  moved() {
    this.pause();
    this.to(Number(this.slider.value));
  }

  to(index) {
    this.ctx.store.set({ at: this.ctx.moments()[index] });
  }

  follow() {
    this.pause();
    this.ctx.follow();
  }

  /** From where the slider is, or from the beginning when it is at the end. */
  start() {
    const last = this.ctx.moments().length - 1;
    if (last < 1) return;
    const from = this.ctx.index() >= last ? 0 : this.ctx.index();
    this.playing = true;
    this.showPlay();
    if (this.calm.matches) this.walk(from, last);
    else this.run(from);
  }

  run(from) {
    let began = 0; // with the first frame: a page that is busy leaves out none of the first steps
    const frame = (now) => {
      if (!this.playing) return;
      began ||= now;
      const last = this.ctx.moments().length - 1;
      const index = Math.min(last, from + Math.floor(((now - began) / WHOLE_MS) * last));
      if (index !== this.ctx.index() || this.ctx.store.state.at === null) this.to(index);
      if (index >= last) this.pause();
      else this.request = requestAnimationFrame(frame);
    };
    this.request = requestAnimationFrame(frame);
  }

  walk(from, last) {
    const stride = Math.max(1, Math.round(last / CALM.stops));
    const next = (index) => {
      this.to(index);
      if (index >= last) this.pause();
      else this.timer = setTimeout(() => next(Math.min(last, index + stride)), CALM.ms);
    };
    next(from);
  }

  pause() {
    this.playing = false;
    cancelAnimationFrame(this.request);
    clearTimeout(this.timer);
    this.showPlay();
  }

  showPlay() {
    const { t } = this.ctx;
    const name = t(this.playing ? "watch.replay.pause" : "watch.replay");
    this.play.replaceChildren(icon(this.playing ? "pause" : "play"), el("span", { text: name }));
    this.play.title = t("watch.replay.help");
  }
  update(changed) {
    if (!["at", "site", "head", "seq", "snapshots", "news"].some((key) => changed.has(key))) return;
    const { t, moments, store, number, lang } = this.ctx;
    const last = Math.max(0, moments().length - 1);
    const index = this.ctx.index();
    const step = this.ctx.position();
    this.slider.max = String(last);
    this.slider.disabled = last === 0;
    this.play.disabled = last === 0;
    this.slider.value = String(index);
    this.slider.style.setProperty("--done", `${last ? (100 * index) / last : 0}%`);
    const text = t("watch.at_step", { step: number(step) });
    this.text.textContent = text;
    this.slider.setAttribute("aria-valuetext", text);
    this.newest.setAttribute("aria-pressed", String(store.state.at === null));
    this.newest.disabled = moments().length === 0;
    const kept = this.checkpoint(step);
    this.explorer.hidden = kept === undefined;
    if (kept === undefined) return;
    this.explorer.textContent = t("watch.explorer", { step: number(kept) });
    this.explorer.href = explorerAddress(this.ctx.header, store.state, kept, lang);
  }

  /** The newest kept checkpoint up to a step. */
  checkpoint(step) {
    return (this.ctx.news?.checkpoints ?? []).filter((kept) => kept <= step).at(-1);
  }
}
