/** How long the page waits before it asks again, for each state of a run. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Feed } from "../../attnviz/view/static/watch/feed.js";

/** @param {string} state */
async function waitAfter(state) {
  const header = new TextEncoder().encode(JSON.stringify({ state, generation: "1", reset: false, metrics: 0, attention: 0, by: "" }));
  const bytes = new Uint8Array(4 + header.length);
  new DataView(bytes.buffer).setUint32(0, header.length, true);
  bytes.set(header, 4);
  const told = [];
  const feed = Object.assign(Object.create(Feed.prototype), {
    expecting: 0, metrics: 0, attention: 0, tell: () => {}, take: async (news) => told.push(news.state), fetch: async () => ({ status: 200, bytes }),
  });
  const wait = await feed.once();
  assert.deepEqual(told, [state]);
  return wait;
}

test("a run that was lost may go on by itself, and one that has ended does not", async () => {
  for (const state of ["running", "paused", "queued", "interrupted", "failed"]) assert.ok((await waitAfter(state)) > 0, state);
  for (const state of ["stopped", "done"]) assert.equal(await waitAfter(state), null, state);
});
