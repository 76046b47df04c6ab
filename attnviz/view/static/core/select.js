/** Choosing a head, naming it, and the groups in which heads are shown. */

/** Whether a site is one of several windows of an image in its layer. */
export const hasPart = (site) => site.part !== null && site.part !== undefined;

/** Whether the numbers are a person's own, not a model's; a run's header names no model. */
export const isOwn = (ctx) => ctx.data.header.model?.kind === "by hand";

/** "Cross-attention", or that the numbers are a person's own. */
export const stackTitle = (ctx, site) =>
  ctx.t(isOwn(ctx) ? "view.frame.stack.hand" : `view.frame.stack.${site.stack}.${site.kind}`);

/** "Cross-attention · layer 0 · head 3", with the window where a layer attends in each apart. */
export function siteTitle(ctx, site, head) {
  const stack = stackTitle(ctx, site);
  if (isOwn(ctx)) return ctx.t("view.frame.title.hand", { stack, head });
  return ctx.t(hasPart(site) ? "view.frame.title.part" : "view.frame.title", { stack, layer: site.layer, part: site.part, head });
}

/** Sites with their indices by stack and kind ("decoder.self"), in the order of the model. */
export function groupSites(sites) {
  const groups = new Map();
  sites.forEach((site, index) => {
    const name = `${site.stack}.${site.kind}`;
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push({ site, index });
  });
  return groups;
}

/**
 * The head that an arrow key leads to: Left and Right walk heads, Up and Down walk layers, across the groups.
 * @param {ReturnType<typeof groupSites>} groups
 * @param {number[]} from  index of a site, and a head
 * @param {number[]} by  rows and columns
 * @param {(site: any) => number} headsOf
 */
export function neighbour(groups, [from, on], [down, across], headsOf) {
  const order = [...groups.values()].flat();
  const at = order.findIndex(({ index }) => index === from) + down;
  const { site, index } = order[Math.min(order.length - 1, Math.max(0, at))];
  return [index, Math.min(headsOf(site) - 1, Math.max(0, on + across))];
}

/** Chooses a head; tokens that are locked stay so where the new site has the same tokens. */
export function chooseHead(ctx, site, head) {
  const { store, data } = ctx;
  const { state } = store;
  if (data.header.choice.frozen) return; // a link that was handed out
  const [from, to] = [data.site(state.site), data.site(site)];
  const query = from.queries === to.queries ? state.query : null;
  const key = from.keys === to.keys ? state.key : null;
  const dim = state.dim !== null && state.dim < Math.max(to.d_head, to.d_value) ? state.dim : null;
  const locked = state.locked && (query !== null || key !== null || dim !== null);
  store.set({ site, head, query, key, dim, locked, own: true });
  store.flush(); // a head is switched within the same frame
}

/** The starting state that a payload asks for, held within what the trace has. */
export function choiceState(header) {
  const { choice } = header;
  const site = Math.min(Math.max(0, choice.site), header.sites.length - 1);
  const { queries, keys, n_heads: heads } = header.sites[site];
  const within = (index, stack) => (index !== null && index >= 0 && index < header.tokens[stack].length ? index : null);
  const query = within(choice.query ?? null, queries);
  const key = within(choice.key ?? null, keys);
  const locked = Boolean(choice.locked) && (query !== null || key !== null);
  return { site, head: Math.min(Math.max(0, choice.head), heads - 1), query: locked ? query : null, key: locked ? key : null, dim: null, wide: null, locked };
}

/**
 * The state in which another payload is shown. A link and another model are followed; another text of the same model
 * leaves people at the head they chose, else it begins with the head that tells most of it.
 */
export function nextState(header, before, state) {
  const follow = header.model.name !== before.model.name || header.choice.link !== before.choice.link;
  if (follow) return { ...choiceState(header), own: false };
  const { site, head } = state.own || state.locked ? state : header.choice;
  return choiceState({ ...header, choice: { ...state, site, head } });
}
