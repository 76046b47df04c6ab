/** What each stage of a head's chain shows: its axes, colours, limits and the numbers that are held. */

import { tokenText } from "./format.js";
import { symmetricLimits } from "./heat.js";
import { visibleWeights } from "./hidden.js";

/** The stages of the chain, by step; each with its matrices. */
export function steps(site) {
  const inputs = site.kind === "cross" ? ["x", "x_kv"] : ["x"];
  return [inputs, ["q", "k", "v"], ["scores"], ["masked"], ["weights"], ["context"], ["output"]];
}

const labelCache = new Map();

/** "0", "1", ...: the same array for the same length, so that unchanged axes are recognised. */
function dimLabels(n) {
  if (!labelCache.has(n)) labelCache.set(n, Array.from({ length: n }, (_, i) => String(i)));
  return labelCache.get(n);
}

/**
 * @param {string} stage  q k v scores masked weights context output x x_kv
 * @returns {import("./matrix.js").MatrixSpec}
 */
export function stageSpec(ctx, state, stage, cell = null) {
  const { data, t } = ctx;
  const site = data.site(state.site);
  const queries = { kind: "queries", labels: data.tokens(site.queries) };
  const keys = { kind: "keys", labels: data.tokens(site.keys) };
  const dims = { kind: "dims", labels: dimLabels(site.d_head), title: t("view.frame.axis.d_head") };
  const wide = { kind: "dims", labels: dimLabels(site.d_model), title: t("view.frame.axis.d_model"), linked: false };
  const tokens = site.kind === "self" ? { ...queries, title: t("view.frame.axis.tokens"), both: true } : queries;
  const axes = {
    x: [tokens, wide], x_kv: [keys, wide], q: [queries, dims], k: [keys, dims], v: [keys, dims],
    scores: [queries, keys], masked: [queries, keys], weights: [queries, keys],
    context: [queries, dims], output: [queries, wide],
  };
  const [rows, cols] = axes[stage];
  const matrix = data.get(state.site, state.head, stage);
  const ofSite = stage === "x" || stage === "x_kv";
  return {
    stage, rows, cols, matrix, cell,
    title: t(`view.frame.stage.${stage === "x" && site.kind === "cross" ? "x_q" : stage}`),
    colour: stage === "weights" ? "sequential" : "diverging",
    limits: stage === "weights" ? [0, 1] : limits(ctx, state, stage),
    masked: stage === "masked",
    file: ofSite ? `${site.name}-${stage}` : `${site.name}-h${state.head}-${stage}`,
  };
}

/** Matrices that are compared share their limits: q, k, v; the two inputs. */
function limits(ctx, state, stage) {
  const compared = { q: ["q", "k", "v"], k: ["q", "k", "v"], v: ["q", "k", "v"], x: ["x", "x_kv"], x_kv: ["x", "x_kv"] }[stage] ?? [stage];
  const held = compared.map((name) => ctx.data.get(state.site, state.head, name)).filter(Boolean);
  return symmetricLimits(...held);
}

/** The chosen head's weights as the large matrix shows them: without the hidden keys. */
export function visibleSpec(ctx, state) {
  const spec = stageSpec(ctx, state, "weights");
  const shown = visibleWeights(state, ctx);
  if (state.hide === "none" || !shown) return spec;
  const labels = shownLabels(spec.cols.labels, shown);
  return { ...spec, matrix: shown, cols: { kind: "keys", labels, index: shown.keyIndex }, file: `${spec.file}-without-${state.hide}` };
}

const shownCache = new WeakMap();

function shownLabels(labels, shown) {
  if (!shownCache.has(shown)) shownCache.set(shown, shown.keyIndex.map((j) => labels[j]));
  return shownCache.get(shown);
}

/** The tokens that are hidden, as text for the note. */
export function hiddenTokens(ctx, state, keyIndex) {
  const labels = ctx.data.tokens(ctx.data.site(state.site).keys);
  const kept = new Set(keyIndex);
  return labels.map((label, j) => (kept.has(j) ? null : `${tokenText(label)} (#${j})`)).filter((text) => text !== null);
}
