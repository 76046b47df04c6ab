/** What there is to hand on: links, a QR code, the code of a frame, one HTML file, paper. */

import { copyText } from "../core/copy.js";
import { el } from "../core/dom.js";
import { frameCode, linkWith, themeOf, wholeLink } from "./links.js";

const QR_PATH = "attnviz/qr";
const SAID_MS = 2500; // how long a button says that it has copied
const THEMES = ["", "light", "dark"]; // "": the reader's own

export class Share {
  /** @param {import("../core/context.js").Context} ctx */
  constructor(ctx) {
    this.ctx = ctx;
    this.t = (key, params) => ctx.t(`view.share.${key}`, params);
    this.theme = el("select", { on: { change: () => this.fill() } }, THEMES.map((value) => el("option", { value, text: this.t(`theme.${value || "own"}`) })));
    this.links = el("div", { class: "avs-share" });
    const body = el("div", { class: "avs-share-body" }, [el("label", { class: "avs-theme" }, [this.t("theme"), this.theme]), this.links]);
    const close = el("button", { type: "button", class: "av-button", text: ctx.t("view.panel.table.close"), on: { click: () => this.dialog.close() } });
    const head = el("header", {}, el("h2", { text: this.t("title") }), close);
    const on = {
      keydown: (event) => event.stopPropagation(), // the page's keys stay out of the dialog
      click: (event) => event.target === this.dialog && this.dialog.close(),
    };
    this.dialog = el("dialog", { class: "avp-dialog avs-dialog", "aria-label": this.t("title"), on }, head, body);
    ctx.root.append(this.dialog);
  }

  open() {
    this.theme.value = this.chosenTheme();
    this.fill();
    this.dialog.showModal();
  }

  /** The theme that somebody chose for this page: its link's, or another one than the system's. */
  chosenTheme() {
    const { theme } = this.ctx.root.dataset;
    const system = window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    return themeOf(window.location.href) || (theme === system ? "" : theme);
  }

  fill() {
    const link = wholeLink(window.location.href, this.theme.value);
    this.links.replaceChildren(
      this.text("link", link), this.text("frozen", linkWith(link, { lock: "all" })), this.text("frame", frameCode(link, document.title)), this.qr(link), this.files(),
    );
  }

  /** A text to copy. */
  text(name, text) {
    const field = el("code", { class: "avs-text", text });
    const copy = el("button", { type: "button", class: "av-button", text: this.t(`${name}.copy`) });
    copy.addEventListener("click", async () => {
      const key = (await copyText(text, field)) ? "copied" : "select";
      const before = this.t(`${name}.copy`);
      copy.textContent = this.t(key);
      setTimeout(() => (copy.textContent = before), SAID_MS);
    });
    return el("section", {}, el("h3", { text: this.t(name) }), el("p", { class: "av-muted", text: this.t(`${name}.note`) }), field, copy);
  }

  qr(link) {
    const image = el("img", { class: "avs-qr", alt: this.t("qr.alt", { link }), src: new URL(`${QR_PATH}?text=${encodeURIComponent(link)}`, document.baseURI).href, width: 200, height: 200 });
    const failed = el("p", { class: "av-muted", text: this.t("qr.failed"), hidden: true });
    image.addEventListener("error", () => {
      image.hidden = true;
      failed.hidden = false;
    });
    return el("section", {}, el("h3", { text: this.t("qr") }), image, failed);
  }

  files() {
    const { data, store } = this.ctx;
    const { site, head } = store.state;
    const print = el("button", { type: "button", class: "av-button", text: this.t("print"), on: { click: () => this.print() } });
    const title = el("h3", { text: this.t("file") });
    if (!data.sites.length) return el("section", {}, title, el("p", {}, print)); // a file is of a picture
    const query = new URLSearchParams({ site: data.site(site).name, head: String(head), lang: data.header.lang });
    const save = el("a", { class: "av-button", href: data.url(`page.html?${query}`), download: "attnviz.html", text: this.t("file.save") });
    return el("section", {}, title, el("p", { class: "av-muted", text: this.t("file.note") }), el("p", {}, save, " ", print));
  }

  print() {
    this.dialog.close();
    this.ctx.store.set({ chain: null });
    window.print();
  }
}
