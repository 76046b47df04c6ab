/** Names of the parts that a score is made of, and the sentence on why a query reads a key. Pure. */

import { fmtPercent } from "../core/format.js";
import { groupSites } from "../core/select.js";

const WORD = { "same for all": "same" }; // in the messages

/** "head 0.1", with its stack where there are several. @param {any} ctx  @param {{layer: number, stack: string, kind: string}} site */
export function headName(ctx, site, head) {
  const { t, data } = ctx;
  const name = t("view.why.head", { layer: site.layer, head });
  return groupSites(data.sites).size > 1 ? t("view.why.head.of", { head: name, stack: t(`view.frame.group.${site.stack}.${site.kind}`) }) : name;
}

const siteOf = ({ data }, part) => data.sites.find(({ name }) => name === part.site);

export function partName(ctx, part) {
  if (part.kind === "head") return headName(ctx, siteOf(ctx, part), part.head);
  return ctx.t(`view.why.part.${WORD[part.kind] ?? part.kind}`, { layer: part.layer });
}

/** The token that a head had read, by where it stands: before the one that it wrote at, at it, after it, or elsewhere. */
export function sourceOf({ t, data }, part, token) {
  const site = siteOf({ data }, part);
  const index = part.key;
  if (2 * Math.abs(part.source) < Math.abs(part.share)) return t("view.why.source.several", { token, index });
  const step = site.kind === "self" ? ["before", "itself", "after"][part.key - part.query + 1] : undefined;
  return t(`view.why.source.${step ?? "elsewhere"}`, { token, index });
}

/** The part that says most for a score as far above or below its row's mean as it is; undefined where none does. */
export function leading(parts, above) {
  const toward = (part) => (above < 0 ? -part.share : part.share);
  const [first] = [...parts].sort((a, b) => toward(b) - toward(a));
  return first && toward(first) > 0 ? first : undefined;
}

/**
 * The sentence.
 * @param {any} ctx
 * @param {any} found  see `attnviz.view.why`
 * @param {{query: string, key: string, source: string}} tokens  as they are to stand there: the source is the one that
 *     the leading part's head had read
 */
export function says(ctx, found, { query, key, source }) {
  const { t, fmt } = ctx;
  const above = found.score - found.row_mean;
  const part = leading(found.keys.parts, above);
  const about = { query, key, above: fmt(above), percent: fmtPercent(found.weight) };
  if (found.allowed < 2) return t("view.why.only", about);
  if (!part) return t("view.why.scattered", about);
  const given = { ...about, share: fmt(part.share), name: partName(ctx, part), layer: part.layer };
  const because = t(`view.why.because.${WORD[part.kind] ?? part.kind}`, given);
  const isTold = part.kind === "head" && part.source !== null;
  const reason = isTold ? t("view.why.and", { head: t("view.why.head", part), reason: because, source: sourceOf(ctx, part, source) }) : because;
  return t(above < 0 ? "view.why.less" : "view.why.more", { ...about, reason });
}
