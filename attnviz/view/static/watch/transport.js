/** The transport of a run: where it stands, play, pause, step, stop, learning rate and speed. */

import { el } from "../core/dom.js";
import { icon } from "./icons.js";
import { outcome } from "./measures.js";

const SPEEDS = ["", "20", "5", "1"]; // steps per second at most; "": as fast as it goes
const RATE = { low: -5, high: 0, step: 0.05 }; // powers of ten
const PENDING_MS = 4000; // for so long a command that nobody obeyed looks as if it had been
const EXPECTED = { pause: "paused", step: "paused", resume: "running", stop: "stopped", submit: "queued" };
const LESS = 10; // a run that diverged is offered a learning rate so many times lower

const rounded = (rate) => Number(rate.toPrecision(2));
const asText = (rate) => String(rounded(rate)); // 0.003, 1e-7

export class Transport {
  constructor(ctx) {
    this.ctx = ctx;
    this.pending = null;
    this.ended = undefined; // whether the run had ended when it was looked at first
    this.state = el("strong", { class: "aw-state" });
    this.facts = el("span", { class: "aw-where" });
    this.progress = el("progress", { class: "aw-progress", max: String(ctx.header.steps), value: "0", "aria-label": ctx.t("watch.progress") });
    const status = el("div", { class: "aw-status" }, [el("div", { class: "aw-status-text" }, [this.state, this.facts]), this.progress]);
    this.problem = el("p", { class: "aw-problem", role: "alert", hidden: true });
    this.failure = el("div", { class: "aw-failure", hidden: true });
    this.steering = ctx.header.steer ? [this.buttons(), this.tuning()] : [];
    const [buttons = "", tuning = ""] = this.steering;
    this.bar = el("div", { class: "aw-bar-row" }, [buttons, status, tuning]);
    this.element = el("section", { class: "aw-transport", "aria-label": ctx.t("watch.transport") }, [this.bar, this.problem, this.failure]);
  }

  buttons() {
    const { t } = this.ctx;
    const button = (act) => el("button", { type: "button", class: "av-button aw-button", on: { click: act } });
    this.play = button(() => this.pressPlay());
    this.play.classList.add("aw-main");
    this.step = button(() => this.tell("step"));
    this.stop = button(() => this.tell("stop"));
    label(this.step, "step", t("watch.step_once"), t("watch.step_once.help"));
    label(this.stop, "stop", t("watch.stop"), t("watch.stop.help"));
    return el("div", { class: "aw-buttons", role: "group", "aria-label": t("watch.transport") }, [this.play, this.step, this.stop]);
  }

  tuning() {
    const { t, lang } = this.ctx;
    this.rate = el("input", { type: "range", class: "aw-range", min: String(RATE.low), max: String(RATE.high), step: String(RATE.step), on: {
      input: () => this.showRate(10 ** Number(this.rate.value)),
      change: () => this.sendRate(),
    } });
    this.rateText = el("output", { class: "aw-rate-text" });
    const speedName = (value) => (value ? t("watch.speed.at", { n: Number(value).toLocaleString(lang) }) : t("watch.speed.full"));
    this.speed = el("select", { class: "aw-select", on: { change: () => this.tell("speed", this.speed.value ? Number(this.speed.value) : null) } }, SPEEDS.map((value) => el("option", { value, text: speedName(value) })));
    return el("div", { class: "aw-tuning" }, [
      el("label", { class: "aw-field" }, [el("span", { text: t("watch.rate") }), this.rate, this.rateText]),
      el("label", { class: "aw-field" }, [el("span", { text: t("watch.speed") }), this.speed]),
    ]);
  }

  pressPlay() {
    const { state } = this.now();
    if (state === "running") this.tell("pause");
    else if (state === "paused") this.tell("resume");
    else this.tell("submit");
  }

  /** Sends a command, and shows what it will bring until the news says what it brought. */
  tell(name, value = null) {
    this.ctx.command(name, value);
    if (!(name in EXPECTED)) return;
    this.pending = { state: EXPECTED[name], until: performance.now() + PENDING_MS, before: this.ctx.news?.state };
    this.show();
    setTimeout(() => this.show(), PENDING_MS + 50);
  }

  sendRate() {
    const rate = rounded(10 ** Number(this.rate.value));
    this.asked = { rate, step: this.ctx.metrics.last, until: performance.now() + PENDING_MS };
    this.tell("learning_rate", rate);
  }

  /** The state as it will be in a moment, or as the news has it. */
  now() {
    const news = this.ctx.news ?? { state: "", step: 0, resumable: false, message: "", place: null, by: "" };
    const { pending } = this;
    if (pending && (performance.now() > pending.until || news.state !== pending.before)) this.pending = null;
    return this.pending ? { ...news, state: this.pending.state, place: null, by: "", pending: true } : news;
  }
  update(changed) {
    if (changed.has("news") || changed.has("metrics")) this.show();
  }

  show() {
    const { t, number, header, metrics } = this.ctx;
    const { state, step: noted, place, message, resumable, by } = this.now();
    const step = Math.max(metrics.last, noted);
    this.element.dataset.state = state;
    const word = state || this.problem.hidden ? t(`watch.state.${this.word(state, step, by)}`) : ""; // nothing will come: the problem says why
    this.state.textContent = by ? t(`watch.by.${by}`, { state: word }) : word;
    const facts = [outcome(this.ctx), t("watch.steps", { step: number(step), steps: number(header.steps) })].filter(Boolean);
    if (place) facts.unshift(t(place === 1 ? "watch.next" : "watch.place", { n: place }));
    const [cores, runs] = this.ctx.news?.share ?? [1, 1];
    if (state === "running" && runs > 1) facts.push(t(cores > 1 ? "watch.shares" : "watch.shares.one", { cores: number(cores), n: number(runs) }));
    if (state === "running" && this.ctx.pace()) {
      const pace = this.ctx.pace();
      facts.push(t("watch.pace", { n: pace < 10 ? pace.toFixed(1) : number(Math.round(pace)) }));
      facts.push(t("watch.left", { time: this.duration((header.steps - step) / pace) }));
    }
    this.facts.replaceChildren(...facts.map((text) => el("span", { text })));
    this.progress.value = step;
    this.showFailure(state, message);
    if (!header.steer) return;
    // a run that was done before anybody looked has nothing to steer; one that ends before our eyes keeps its place
    this.ended ??= this.ctx.news ? state === "done" : undefined;
    for (const group of this.steering) group.hidden = Boolean(this.ended);
    this.enable(state, step, resumable);
  }

  /** The name of a state. */
  word(state, step, by) {
    if (state === "stopped" && !step && !by) return "new";
    return state === "done" && this.ctx.header.recorded ? "recorded" : state || "waiting";
  }

  enable(state, step, resumable) {
    const { t } = this.ctx;
    const running = state === "running";
    const active = running || state === "paused" || state === "queued";
    if (running) label(this.play, "pause", t("watch.pause"), t("watch.pause.help"));
    else if (state === "paused") label(this.play, "play", t("watch.resume"), t("watch.resume.help"));
    else label(this.play, "play", t(step ? "watch.resume" : "watch.train_now"), t("watch.resume.help"));
    this.play.disabled = !(running || state === "paused" || resumable) || state === "queued";
    this.play.classList.toggle("aw-main", !this.play.disabled && state !== "failed"); // then the way on is another button
    this.step.disabled = !(running || state === "paused");
    this.stop.disabled = !active;
    this.rate.disabled = !(running || state === "paused");
    this.speed.disabled = !(running || state === "paused");
    if (this.ctx.root.getRootNode().activeElement === this.rate) return;
    const rate = this.peakRate();
    this.rate.value = String(Math.log10(rate));
    this.showRate(rate);
  }

  /** The learning rate at its highest: the one asked for, until the steps that are compared with the schedule were made with it. */
  peakRate() {
    const { asked, ctx } = this;
    const { rate, step } = ctx.peak();
    return asked && (performance.now() < asked.until || step <= asked.step) ? asked.rate : rate;
  }

  /** The value of the slider, and what the schedule makes of it now. */
  showRate(rate) {
    const { t, metrics } = this.ctx;
    const used = metrics.rate.at(-1) ?? null;
    const text = asText(rate);
    this.rateText.replaceChildren(el("b", { text }), el("small", { text: used === null ? "" : t("watch.rate_now", { rate: asText(used) }) }));
    this.rate.setAttribute("aria-valuetext", text);
  }

  duration(seconds) {
    const { t } = this.ctx;
    if (!Number.isFinite(seconds)) return "–";
    if (seconds < 90) return t("watch.seconds", { n: Math.max(1, Math.round(seconds)) });
    return seconds < 5400 ? t("watch.minutes", { n: Math.round(seconds / 60) }) : t("watch.hours", { n: (seconds / 3600).toFixed(1) });
  }

  showFailure(state, message) {
    const failed = state === "failed";
    const text = failed || state === "queued" ? message : "";
    if (text === this.failed) return;
    this.failed = text;
    this.failure.hidden = !text;
    if (!text) return;
    const { t, header } = this.ctx;
    this.failure.replaceChildren(el("p", { role: "alert", text }));
    if (!header.steer || !failed) return;
    const lower = el("input", { type: "number", class: "aw-number", min: "0.000001", max: "1", step: "any", value: String(rounded(this.peakRate() / LESS)), "aria-label": t("watch.rate") });
    const again = el("button", { type: "button", class: "av-button aw-button aw-main", text: t("watch.resume_lower"), on: { click: () => lower.reportValidity() && lower.value && this.tell("submit", Number(lower.value)) } });
    this.failure.append(el("div", { class: "aw-again" }, [el("label", { class: "aw-field" }, [el("span", { text: t("watch.rate") }), lower]), again]));
  }

  /** A line that comes and goes: the server does not answer, the run is gone ... */
  showProblem(text) {
    this.problem.hidden = !text;
    this.problem.textContent = text;
    this.show();
  }
}

/** Gives a button its sign, its word and what it says when pointed at; nothing moves when it has them already. */
function label(button, sign, text, help) {
  const key = `${sign} ${text}`;
  if (button.dataset.label === key) return;
  button.dataset.label = key;
  button.title = help;
  button.replaceChildren(icon(sign), el("span", { text }));
}
