/** The view in a page that was saved whole: what `attnviz.view.standalone` writes and `boot.js` starts. */

import { EmbeddedSource } from "./embedded.js";
import { mount } from "../main.js";

/** @param {Document} page */
export async function open(page) {
  const source = new EmbeddedSource(page);
  const data = await source.overview();
  mount({ data, source, parentElement: page.getElementById("attnviz") });
  window.addEventListener("hashchange", () => window.location.reload()); // another link to the same file
}
