/** Show a written text token by token, with what could have come instead, and the tree of a search. */

import { el } from "../core/dom.js";
import { fmtPercent, tokenElement, tokenText } from "../core/format.js";
import { View, mountOf } from "../core/frame.js";
import { textsAt } from "../core/texts.js";
import { Tree } from "./tree.js";
import viewCss from "../core/view.css";
import writeCss from "./write.css";

const PLAY_MS = 700; // from one token to the next
const DIGITS = 3;
const MOST_ROWS = 7; // candidates of a token, but for those that matter anyway

class Write extends View {
  constructor(component) {
    super(component, "attnviz avw", [viewCss, writeCss]);
    this.take(component.data);
    this.at = 0;
    this.open(textsAt(this.data.texts));
  }

  take(data) {
    this.data = data;
    this.shown = data.steps.length; // tokens that are shown; fewer while it plays
  }

  fits(data) {
    return data.lang === this.data.lang;
  }

  /** Another text: a token that was taken stays in view, else the first one does. */
  receive(component) {
    this.component = component;
    const before = this.data;
    this.take(component.data);
    if (!this.body) return;
    if (before.id === this.data.id) return this.retheme();
    this.pause();
    const same = before.steps.findIndex((step, at) => step.id !== this.data.steps[at]?.id);
    this.at = Math.max(0, Math.min(this.data.steps.length - 1, this.data.taken ? this.data.taken - 1 : same));
    this.render();
    this.tellPicture();
  }

  build() {
    const { t } = this;
    const button = (text, act, more = {}) => el("button", { type: "button", class: "av-small", text, on: { click: act }, ...more });
    this.play = button(t("view.write.play"), () => (this.timer ? this.pause() : this.begin()));
    this.back = button(t("view.write.back"), () => this.walk(-1));
    this.step = button(t("view.write.step"), () => this.walk(1));
    this.anew = button(t("view.write.begin_anew"), () => this.component.setTriggerValue("anew", true));
    this.more = button(t("view.write.more"), () => this.component.setTriggerValue("more", true));
    this.where = el("span", { class: "avw-where" });
    this.bar = el("div", { class: "avw-bar", role: "group", "aria-label": t("view.write.room") }, [this.play, this.back, this.step, this.where, this.anew, this.more]);
    this.strip = el("div", { class: "avw-strip", role: "group", "aria-label": t("view.write.tokens"), on: { keydown: (event) => this.key(event) } });
    this.could = el("section", { class: "avw-could", "aria-label": t("view.write.could") });
    this.tree = new Tree(this);
    this.body = el("div", { class: "av-body avw-body" }, [this.bar, this.strip, this.could, this.tree.element, this.live]);
    this.root.append(this.body);
    this.render();
    this.root.dataset.ready = "true";
  }

  render() {
    const { steps, before, plan } = this.data;
    this.tokens = steps.map((step, at) => el("button", {
      type: "button", class: "avw-token", "aria-pressed": "false", ...mark("taken", step.id !== step.choice || at === this.data.taken - 1),
      on: { click: () => this.choose(at) },
    }, [tokenElement(step.token)]));
    this.strip.replaceChildren(...before.map((label) => el("span", { class: "avw-before" }, [tokenElement(label)])), ...this.tokens);
    this.strip.dataset.plan = plan;
    this.anew.hidden = this.data.taken === 0;
    this.more.hidden = !this.data.more;
    this.tree.render();
    this.choose(this.at, false);
  }

  /** Shows one token: what could have come in its place; a person's choice moves the picture below as well. */
  choose(at, isTold = true) {
    const { steps } = this.data;
    this.at = Math.max(0, Math.min(steps.length - 1, at));
    this.shown = this.timer ? Math.max(this.shown, this.at + 1) : steps.length;
    this.tokens.forEach((token, index) => {
      token.setAttribute("aria-pressed", String(index === this.at));
      token.tabIndex = index === this.at ? 0 : -1;
      token.hidden = index >= this.shown;
    });
    this.back.disabled = this.at === 0;
    this.step.disabled = this.at === steps.length - 1;
    const step = steps[this.at];
    const place = this.t("view.write.could.at", { n: this.at + 1, all: steps.length, token: tokenText(step.token) });
    this.where.textContent = this.at === steps.length - 1 && this.data.ended ? `${place} · ${this.t("view.write.ended")}` : place;
    this.could.replaceChildren(...this.bars(step));
    this.tree.mark(this.at);
    if (isTold) {
      this.announce(place);
      this.tellPicture();
    }
  }

  /** The picture of the heads shows the query that this token was predicted at. */
  tellPicture() {
    window.dispatchEvent(new CustomEvent("attnviz:query", { detail: { sequence: this.data.main, position: this.data.first + this.at } }));
  }

  bars(step) {
    const { t } = this;
    const stages = Object.keys(step.kept);
    const head = el("tr", {}, [el("th", { scope: "col", text: t("view.write.token") }), ...stages.map((stage) =>
      el("th", { scope: "col" }, [el("span", { text: t(`view.write.stage.${stage}`) }), el("small", { text: t("view.write.kept", { n: step.kept[stage].toLocaleString(this.data.lang) }) })]))]);
    const most = Math.max(...step.candidates.flatMap((one) => Object.values(one.probabilities)), Number.EPSILON);
    const rows = step.candidates.filter((one, index) => index < MOST_ROWS || one.id === step.id || one.id === step.choice).map((one) => {
      const isHere = one.id === step.id;
      const name = el("button", {
        type: "button", class: "avw-take", disabled: isHere, title: isHere ? null : t("view.write.take", { token: tokenText(one.token) }),
        on: { click: () => this.component.setTriggerValue("take", { step: this.at, token: one.id }) },
      }, [tokenElement(one.token)]);
      const cells = stages.map((stage) => {
        const p = one.probabilities[stage];
        const bar = el("span", { class: "avw-fill" });
        bar.style.width = `calc(${p / most} * (100% - 52px))`; // the number stands behind it
        return el("td", { ...mark("out", p === 0) }, [bar, el("span", { class: "avw-number", text: p === 0 ? "–" : `${fmtPercent(p)}%` })]);
      });
      return el("tr", { ...mark("here", isHere) }, [el("th", { scope: "row" }, [name]), ...cells]);
    });
    const notes = [];
    if (step.number !== null) notes.push(t("view.write.number", { number: step.number.toFixed(DIGITS), token: tokenText(labelOf(step, step.choice)) }));
    if (step.id !== step.choice) notes.push(t("view.write.taken", { token: tokenText(labelOf(step, step.choice)) }));
    notes.push(t("view.write.how"));
    if (this.data.hasHeads) notes.push(t("view.write.reads"));
    const table = el("table", { class: "avw-table", ...mark("one", stages.length === 1) }, [el("thead", {}, [head]), el("tbody", {}, rows)]);
    return [el("div", { class: "avw-scroll" }, [table]), el("div", { class: "avw-notes" }, notes.map((text) => el("p", { class: "avw-note", text })))];
  }

  key(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.walk(by);
    this.tokens[this.at].focus();
  }

  walk(by) {
    this.pause();
    this.choose(this.at + by);
  }

  begin() {
    const { steps } = this.data;
    const from = this.at >= steps.length - 1 ? 0 : this.at + 1;
    this.shown = from;
    this.play.textContent = this.t("view.write.pause");
    this.timer = setInterval(() => (this.at >= steps.length - 1 ? this.pause() : this.choose(this.at + 1)), PLAY_MS);
    this.choose(from);
  }

  pause() {
    clearInterval(this.timer);
    this.timer = 0;
    this.play.textContent = this.t("view.write.play");
    if (this.tokens) this.choose(this.at, false);
  }

  destroy() {
    clearInterval(this.timer);
    super.destroy();
  }
}

/** The attribute of what is so; none of what is not. */
const mark = (name, isSo) => (isSo ? { [`data-${name}`]: true } : {});

const labelOf = (step, id) => step.candidates.find((one) => one.id === id)?.token ?? String(id);

export const mount = mountOf(Write);
