/** The image that a model saw, with what the chosen query reads of it, patch by patch. */

import { css, ink } from "../core/colors.js";
import { el, sizeCanvas } from "../core/dom.js";
import { fmtPercent, tokenElement } from "../core/format.js";
import { VirtualRows, stepIndex } from "./kit.js";
import { cellFormatOf, formatOf } from "../core/rounding.js";
import { visibleWeights } from "../matrix/shown.js";
import { hover, toggleLock, unlock } from "../core/store.js";

const ROW = 24; // height of a token beside the image, px
const TALLEST = 380; // px of the image
const FADE = 0.45; // how far the image goes towards the background, so that colours on it can be read
const [LEAST, MOST] = [0.1, 0.8]; // opacity of the smallest and the largest weight
const LUMA = [0.299, 0.587, 0.114];

/** Whether there is an image below the keys of the chosen head. */
export function fits({ data, store }) {
  return Boolean(data.array("image") && data.header.grids?.[data.site(store.state.site).keys]);
}

/**
 * Where tokens lie on an image: token -> [row, column]; those that are not on it are left out.
 * @param {{rows: number, columns: number, offset: number, cells: number[][]}} grid
 * @param {number} count  of the tokens
 */
function placesOf({ rows, columns, offset, cells = [] }, count) {
  const given = cells.length ? cells : Array.from({ length: rows * columns }, (_, n) => [Math.floor(n / columns), n % columns]);
  const inside = ([row, column]) => row >= 0 && row < rows && column >= 0 && column < columns;
  const found = given.map((place, n) => [n + (cells.length ? 0 : offset), place]);
  return new Map(found.filter(([token, place]) => token < count && inside(place)));
}

/**
 * What a query reads of each key; without a query, what all of them read on average.
 * @param {import("../matrix/shown.js").Shown} shown
 * @param {number} row  place of the query, -1: none
 * @returns {Float64Array} (cols,)
 */
export function reading({ data, rows, cols }, row) {
  const read = new Float64Array(cols);
  const [first, end] = row < 0 ? [0, rows] : [row, row + 1];
  for (let i = first; i < end; i += 1) for (let j = 0; j < cols; j += 1) read[j] += data[i * cols + j] / (end - first);
  return read;
}

/** @returns {{element: HTMLElement, update: (state: object, changed: Set<string>) => void}} */
export function create(ctx) {
  const { t } = ctx;
  const caption = el("p", { class: "avp-image-caption", "aria-live": "polite" });
  const alone = el("button", { type: "button", class: "av-small", "aria-pressed": "false" }, t("view.panel.image.alone"));
  const [low, high] = [el("span", {}), el("span", {})];
  const bar = el("canvas", { "aria-hidden": "true" });
  const legend = el("span", { class: "av-legend" }, low, bar, high);
  const beside = el("div", { class: "avp-image-tokens", role: "listbox", tabindex: "0", "aria-label": t("view.panel.image.beside") });
  const scroller = el("div", { class: "avp-image-scroll" }, beside);
  const canvas = el("canvas", { class: "avp-image-canvas", role: "application", tabindex: "0", "aria-label": t("view.panel.image.label") });
  const picture = el("div", { class: "avp-image-picture" }, canvas);
  const element = el("div", { class: "avp-panel avp-image" }, el("div", { class: "avp-image-head" }, legend, alone), el("div", { class: "avp-image-main" }, scroller, picture), caption);
  const prefix = `avp-image-${Math.random().toString(36).slice(2, 8)}`;
  const list = new VirtualRows(scroller, beside, ROW, makeToken);
  let view = null; // {shown, grid, linked, tokens} of the chosen head; linked: its queries are the patches themselves
  let bare = false; // the image without weights
  let read = null; // of each key
  let plain = null; // {source, palette, canvas}: the image, faded towards the background
  let size = [0, 0];

  /** The token of a patch; null outside of the image, and outside of the window that a head reads. */
  function patch(row, column) {
    const { rows, columns } = view.grid;
    if (row < 0 || row >= rows || column < 0 || column >= columns) return null;
    const token = view.tokenOf[row * columns + column];
    return token < 0 ? null : token;
  }

  /** Row and column of a token on the image; null beside it. */
  const placeOn = (token) => view.placeOf.get(token) ?? null;

  const weightOf = (token) => {
    const column = view.shown.keys.of[token];
    return column < 0 ? null : read[column];
  };

  function makeToken(index) {
    const token = view.tokens[index];
    const labels = ctx.data.tokens(ctx.data.site(ctx.store.state.site).queries);
    return el(
      "div",
      { class: "avp-lines-token", role: "option", id: `${prefix}-${index}`, "aria-posinset": index + 1, "aria-setsize": view.tokens.length, "aria-selected": "false" },
      tokenElement(labels[token]),
      view.linked ? el("span", { class: "avp-number" }) : null,
    );
  }

  function describe(state) {
    const site = ctx.data.site(state.site);
    const query = state.query === null ? -1 : view.shown.queries.of[state.query];
    let onImage = 0;
    let largest = 0;
    const total = read.reduce((sum, weight) => sum + weight, 0);
    for (const token of view.placeOf.keys()) {
      const weight = weightOf(token) ?? 0;
      onImage += weight;
      largest = Math.max(largest, weight);
    }
    const percent = (share) => t("view.panel.percent", { value: view.shown.rounding ? String(Math.round(100 * share)) : fmtPercent(share) });
    const shares = { patches: percent(onImage), beside: percent(Math.max(0, total - onImage)) };
    const name = query < 0 ? t("view.panel.image.average", { count: view.shown.rows }) : t("view.panel.query_at", { index: state.query });
    caption.replaceChildren(
      el("span", { class: "is-query" }, name),
      query < 0 ? "" : tokenElement(ctx.data.tokens(site.queries)[state.query]),
      ` ${t(view.keysBeside ? "view.panel.image.shares" : "view.panel.image.share", shares)}`,
    );
    return largest;
  }

  /** The image in grey, half-way to the background; made once a trace and theme. */
  function fadedImage(palette) {
    const source = ctx.data.array("image");
    if (plain?.source === source && plain.palette === palette && plain.bare === bare) return plain.canvas;
    const [height, width] = source.shape; // (H, W, 3)
    const image = new OffscreenCanvas(width, height);
    const pen = image.getContext("2d");
    const pixels = pen.createImageData(width, height);
    const ground = palette.sequential(0);
    for (let n = 0; n < width * height; n += 1) {
      const grey = LUMA.reduce((sum, share, c) => sum + share * source.data[3 * n + c], 0);
      for (let c = 0; c < 3; c += 1) pixels.data[4 * n + c] = bare ? source.data[3 * n + c] : grey + (ground[c] - grey) * FADE;
      pixels.data[4 * n + 3] = 255;
    }
    pen.putImageData(pixels, 0, 0);
    plain = { source, palette, bare, canvas: image };
    return image;
  }

  /** One pixel a patch; its colour and opacity grow with the weight. */
  function overlay(palette, largest) {
    const { rows, columns } = view.grid;
    const heat = new OffscreenCanvas(columns, rows);
    const pen = heat.getContext("2d");
    const pixels = pen.createImageData(columns, rows);
    view.tokenOf.forEach((token, n) => {
      if (token < 0) return; // another window
      const share = (weightOf(token) ?? 0) / (largest || 1);
      pixels.data.set([...palette.sequential(share), 255 * (LEAST + (MOST - LEAST) * share ** 0.7)], 4 * n);
    });
    pen.putImageData(pixels, 0, 0);
    return heat;
  }

  function paint() {
    const { state } = ctx.store;
    const room = picture.clientWidth;
    if (!view || !room) return;
    const row = state.query === null ? -1 : view.shown.queries.of[state.query];
    read = row < 0 ? (view.average ??= reading(view.shown, -1)) : reading(view.shown, row);
    const largest = describe(state);
    const palette = ctx.palette();
    const [height, width] = ctx.data.array("image").shape;
    const scale = Math.min(room / width, TALLEST / height);
    size = [width * scale, height * scale];
    const pen = sizeCanvas(canvas, ...size);
    pen.imageSmoothingEnabled = scale < 1 || width > 64;
    pen.drawImage(fadedImage(palette), 0, 0, ...size);
    pen.imageSmoothingEnabled = false;
    if (!bare) pen.drawImage(overlay(palette, largest), 0, 0, ...size);
    outline(pen, state.key, palette.key, palette);
    outline(pen, view.linked ? state.query : null, palette.query, palette, state.locked);
    paintTokens(state, palette, largest);
    paintLegend(palette, largest);
  }

  function outline(pen, token, colour, palette, strong = false) {
    const place = placeOn(token);
    if (!place) return;
    const [w, h] = [size[0] / view.grid.columns, size[1] / view.grid.rows];
    const box = [place[1] * w, place[0] * h, w, h];
    for (const [stroke, line] of [[palette.background, strong ? 6 : 5], [colour, strong ? 3 : 2]]) {
      pen.strokeStyle = stroke;
      pen.lineWidth = line;
      pen.strokeRect(...box);
    }
  }

  function paintTokens(state, palette, largest) {
    for (const [index, element] of list.shown) {
      const token = view.tokens[index];
      const focused = state.query === token;
      element.classList.toggle("is-focused", focused);
      element.setAttribute("aria-selected", String(focused));
      if (!view.linked) continue;
      const weight = weightOf(token);
      const colour = weight === null ? null : palette.sequential(Math.min(1, weight));
      element.style.background = colour && !bare ? css(colour) : "";
      element.style.color = colour && !bare ? ink(colour) : "";
      element.classList.toggle("is-hidden", weight === null);
      element.lastChild.textContent = weight === null ? "" : cellFormatOf(view.shown)(weight, 5);
    }
    const at = view.tokens.indexOf(state.query);
    if (at >= 0) beside.setAttribute("aria-activedescendant", `${prefix}-${at}`);
    else beside.removeAttribute("aria-activedescendant");
  }

  function paintLegend(palette, largest) {
    low.textContent = ctx.fmt(0);
    high.textContent = formatOf(view.shown)(largest);
    legend.style.visibility = bare ? "hidden" : "";
    const pen = sizeCanvas(bar, 64, 8);
    for (let x = 0; x < 64; x += 1) {
      pen.fillStyle = css(palette.sequential((x + 0.5) / 64));
      pen.fillRect(x, 0, 1, 8);
    }
  }

  /** The token of the patch under the pointer. */
  function patchAt(event) {
    const box = canvas.getBoundingClientRect();
    const [x, y] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    if (x < 0 || x >= 1 || y < 0 || y >= 1) return null;
    return patch(Math.floor(y * view.grid.rows), Math.floor(x * view.grid.columns));
  }

  /** A patch is a query where the image reads itself, else a key of the query that was chosen. */
  const pointTo = (token) => (view.linked ? { query: token, key: null } : { query: ctx.store.state.query, key: token });

  function tell(token, event) {
    const site = ctx.data.site(ctx.store.state.site);
    const key = { label: t("view.frame.tip.key"), token: ctx.data.tokens(site.keys)[token], text: `#${token}`, tone: "key" };
    const weight = weightOf(token);
    const lines = view.linked ? [{ ...key, label: t("view.frame.tip.query"), tone: "query" }] : [key];
    if (!view.linked && weight !== null) lines.push({ label: t("view.frame.tip.weights"), text: formatOf(view.shown)(weight), exact: view.shown.rounding ? undefined : ctx.full(weight) });
    ctx.tooltip.show(lines, event.clientX, event.clientY);
  }

  canvas.addEventListener("pointermove", (event) => {
    const token = view && event.pointerType !== "touch" ? patchAt(event) : null;
    if (token === null) return;
    hover(ctx.store, pointTo(token));
    tell(token, event);
  });
  canvas.addEventListener("pointerleave", () => {
    ctx.tooltip.hide();
    hover(ctx.store, view?.linked ? { query: null, key: null } : { key: null });
  });
  canvas.addEventListener("click", (event) => {
    const token = view && patchAt(event);
    if (token !== null) toggleLock(ctx.store, pointTo(token));
  });
  canvas.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    const { state } = ctx.store;
    if (event.key === "Enter" || event.key === " ") ctx.store.set({ locked: !state.locked });
    else if (event.key === "Escape" && state.locked) unlock(ctx.store);
    else if (move && view) step(move);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  function step([down, across]) {
    const { state } = ctx.store;
    const place = placeOn(view.linked ? state.query : state.key);
    const [first] = view.placeOf.keys();
    const next = place ? patch(place[0] + down, place[1] + across) : first;
    if (next !== null) ctx.store.set(pointTo(next));
  }

  const tokenAt = (event) => {
    const index = list.at(event);
    return index === null ? null : { query: view.tokens[index], key: null };
  };
  beside.addEventListener("pointermove", (event) => {
    const place = event.pointerType === "touch" ? null : tokenAt(event);
    if (place) hover(ctx.store, place);
  });
  beside.addEventListener("pointerleave", () => view?.linked && hover(ctx.store, { query: null, key: null }));
  beside.addEventListener("click", (event) => {
    const place = tokenAt(event);
    if (place) toggleLock(ctx.store, place);
  });
  beside.addEventListener("keydown", (event) => {
    if (!view) return;
    const { state } = ctx.store;
    const at = view.tokens.indexOf(state.query);
    const to = stepIndex(event.key, at < 0 ? null : at, list.count);
    if (to !== null) {
      ctx.store.set({ query: view.tokens[to], key: null });
      list.reveal(to);
    } else if (event.key === "ArrowRight") canvas.focus();
    else if ((event.key === "Enter" || event.key === " ") && at >= 0) toggleLock(ctx.store, { query: state.query, key: null });
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  alone.addEventListener("click", () => {
    bare = !bare;
    alone.setAttribute("aria-pressed", String(bare));
    paint();
  });
  const refresh = () => view && list.refresh() && paint();
  scroller.addEventListener("scroll", refresh);
  new ResizeObserver(() => {
    refresh();
    paint();
  }).observe(element);

  function update(state, changed) {
    const shown = visibleWeights(state, ctx);
    element.classList.toggle("is-waiting", !shown);
    if (!shown) return; // the last picture stays, dimmed, until the numbers are here
    if (view?.shown !== shown || view.data !== ctx.data) {
      const before = view;
      view = viewOf(state, shown);
      if (before?.signature !== view.signature || before.data !== view.data) list.reset(view.tokens.length);
    }
    if (changed.has("query") && !beside.matches(":hover") && view.tokens.includes(state.query)) list.reveal(view.tokens.indexOf(state.query), true);
    paint();
  }

  function viewOf(state, shown) {
    const site = ctx.data.site(state.site);
    const grid = ctx.data.header.grids[site.keys];
    const linked = site.queries === site.keys;
    const placeOf = placesOf(grid, ctx.data.tokens(site.keys).length);
    const tokenOf = new Int32Array(grid.rows * grid.columns).fill(-1);
    for (const [token, [row, column]] of placeOf) tokenOf[row * grid.columns + column] = token;
    const queries = shown.queries.tokens.map(([first]) => first);
    const tokens = linked ? queries.filter((token) => !placeOf.has(token)) : queries;
    scroller.hidden = tokens.length === 0;
    const keysBeside = shown.allKeys.labels.length > placeOf.size;
    return { shown, grid, linked, placeOf, tokenOf, tokens, keysBeside, data: ctx.data, signature: `${site.queries} ${site.keys} ${tokens.length}` };
  }

  return { element, update };
}
