/** Stages of a head's chain: their axes, colours, limits and numbers. */

import { oneOf } from "../core/address.js";
import { STAGES, isOfSite } from "../core/data.js";
import { tokenText } from "../core/format.js";
import { symmetricLimits } from "./heat.js";
import { cellFormatOf } from "../core/rounding.js";
import { weightLimits } from "./shade.js";
import { sentencesOf, shownAxes, visibleWeights } from "./shown.js";

/** The stages that are weights of the model: fetched only where the chain shows them. */
export const MATRICES = ["w_q", "w_k", "w_v", "w_o"];

/** Whether the numbers are a person's own, not a model's. */
export function isByHand(ctx) {
  return ctx.data.header.model.kind === "by hand";
}

/** Whether the X that is shown is a typed table with positions added to it. */
export function isMoved(ctx) {
  return isByHand(ctx) && ["sinusoidal", "learned"].includes(ctx.data.header.model.positions);
}

/** Whether a site has a stage at all: a bias where the model adds one, an output where W_O is known. */
export function offers(site, stage) {
  return site.stages?.includes(stage === "x_kv" ? "x" : stage) ?? true;
}

/** The stages of the chain, by step; each with its matrices. The input keeps its place where it cannot be told, or there is none. */
export function steps(site) {
  const inputs = site.direct ? [] : site.kind === "cross" ? ["x", "x_kv"] : ["x"];
  const others = [["w_q", "q", "w_k", "k", "w_v", "v"], ["scores"], ["bias", "masked"], ["weights"], ["context"], ["w_o", "output"]];
  return [inputs, ...others.map((stages) => stages.filter((stage) => offers(site, stage))).filter((stages) => stages.length)];
}

/** What the address says of the chain: the last opened step; all are open where it names none. */
export const CHAIN = { chain: oneOf(null, [0, 1, 2, 3, 4, 5, 6]) };

/** Return the stages that the panels need of a head, beside its input and its output. */
export function numbersOf(site) {
  return [...STAGES, "bias"].filter((stage) => offers(site, stage) && !isOfSite(stage));
}

/** Why numbers will not come; "" when they may. */
export function absence(ctx, siteIndex, stage) {
  return offers(ctx.data.site(siteIndex), stage) ? ctx.absent(siteIndex, stage) : ctx.t("view.frame.matrix.absent");
}

/** Those of the stages that a site offers and the browser does not hold. */
export function missing(ctx, siteIndex, head, stages) {
  const site = ctx.data.site(siteIndex);
  return stages.filter((stage) => offers(site, stage) && !ctx.absent(siteIndex, stage) && !ctx.data.has(siteIndex, head, [stage]));
}

const labelCache = new Map();

/** "0", "1", ... and whatever follows: the same array for the same length, so that unchanged axes are recognised. */
function dimLabels(n, after = []) {
  const name = [n, ...after].join();
  if (!labelCache.has(name)) labelCache.set(name, [...Array.from({ length: n }, (_, i) => String(i)), ...after]);
  return labelCache.get(name);
}

/**
 * @param {string} stage  x x_kv w_q w_k w_v q k v scores bias masked weights context w_o output
 * @returns {import("./matrix.js").MatrixSpec}
 */
export function stageSpec(ctx, state, stage, cell = null) {
  const { data, t } = ctx;
  const site = data.site(state.site);
  const matrix = data.get(state.site, state.head, stage);
  const queries = { kind: "queries", labels: data.tokens(site.queries) };
  const keys = { kind: "keys", labels: data.tokens(site.keys) };
  const dims = { kind: "dims", labels: dimLabels(site.d_head), title: t("view.frame.axis.d_head") };
  const keyDims = site.d_key === site.d_head ? dims : { kind: "dims", labels: dimLabels(site.d_key), title: t("view.frame.axis.dims") };
  const values = site.d_value === site.d_head ? dims : { kind: "dims", labels: dimLabels(site.d_value), title: t("view.frame.axis.d_value") };
  // what two stacks exchange may be of different widths: the numbers know theirs
  const width = matrix?.cols ?? site.d_model ?? site.n_heads * site.d_value;
  const wide = { kind: "wide", labels: dimLabels(width), title: t("view.frame.axis.d_model") };
  const biases = site.projection?.bias ? ["b"] : [];
  const rowsRead = (matrix?.rows ?? width + biases.length) - biases.length;
  const read = { kind: "wide", labels: dimLabels(rowsRead, biases), title: t("view.frame.axis.d_model") };
  const tokens = site.kind === "self" ? { ...queries, title: t("view.frame.axis.tokens"), both: true } : queries;
  const axes = {
    x: [tokens, wide], x_kv: [keys, wide], w_q: [read, dims], w_k: [read, keyDims], w_v: [read, values], q: [queries, dims], k: [keys, keyDims], v: [keys, values],
    scores: [queries, keys], bias: [queries, keys], masked: [queries, keys], weights: [queries, keys],
    context: [queries, values], w_o: [values, wide], output: [queries, wide],
  };
  const [rows, cols] = axes[stage];
  return {
    stage, rows, cols, matrix, cell,
    title: titleOf(ctx, t(titleKey(site, stage))),
    colour: stage === "weights" && !data.isDifference ? "sequential" : "diverging",
    limits: stage === "weights" ? weightLimits(ctx, state, matrix) : limits(ctx, state, stage),
    format: cellFormatOf(matrix),
    masked: stage === "masked" || data.isDifference,
    absent: absence(ctx, state.site, stage),
    file: isOfSite(stage) ? `${site.name}-${stage}` : `${site.name}-h${state.head}-${stage}${data.isDifference ? "-difference" : ""}`,
  };
}

/** A title that says that the numbers are a difference. */
function titleOf({ data, sides, t }, title) {
  return data.isDifference ? t(`view.frame.side.${sides.told.names}.title`, { title }) : title;
}

/** Whether a layer reads what its own encoder gives out, not what another model does. */
export const readsEncoder = (site) => site.kind === "cross" && site.queries === "decoder" && site.keys === "encoder";

/** The input by the name that the formulas give it: after the layer's norm, where there is one. */
export function titleKey(site, stage) {
  if (stage === "w_o" && site.direct === "states") return "view.frame.stage.w_c";
  if (!isOfSite(stage)) return `view.frame.stage.${stage}`;
  if (site.projection) return stage === "x_kv" ? "view.frame.stage.memory" : `view.frame.stage.x${site.projection.normed ? ".normed" : ""}`;
  if (site.kind !== "cross") return `view.frame.stage.${stage}`;
  return `view.frame.stage.${stage === "x" ? "x_q" : "x_kv"}${readsEncoder(site) ? "" : ".other"}`;
}

const COMPARED = [["q", "k", "v"], ["w_q", "w_k", "w_v"], ["x", "x_kv"]];

/** Matrices that are compared share their limits, those of two traces too. */
function limits(ctx, state, stage) {
  const compared = COMPARED.find((stages) => stages.includes(stage)) ?? [stage];
  const held = compared.flatMap((name) => [ctx.data.get(state.site, state.head, name), ...(ctx.sides?.held(state, name) ?? [])]).filter(Boolean);
  return symmetricLimits(...held);
}

/** The chosen head's weights as the large matrix shows them: hidden keys left out, sentences picked, words merged. */
export function visibleSpec(ctx, state) {
  const spec = stageSpec(ctx, state, "weights");
  const { queries, keys, plain, hidden } = shownAxes(state, ctx);
  if (plain || ctx.data.isDifference) return spec;
  const merged = queries.merged || keys.merged;
  const marks = [hidden.length && `without-${state.hide}`, sentencesOf(ctx.data, state) && state.pair, merged && "words"].filter(Boolean);
  const matrix = visibleWeights(state, ctx);
  return {
    ...spec,
    rows: queries,
    cols: keys,
    matrix,
    limits: weightLimits(ctx, state, matrix),
    format: cellFormatOf(matrix),
    title: merged ? ctx.t("view.frame.stage.weights.words") : spec.title,
    file: [spec.file, ...marks].join("-"),
  };
}

/** The tokens that are hidden, as text for the note. */
export function hiddenTokens(ctx, state) {
  const labels = ctx.data.tokens(ctx.data.site(state.site).keys);
  return shownAxes(state, ctx).hidden.map((j) => `${tokenText(labels[j])} (#${j})`);
}
