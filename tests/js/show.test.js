/** Tests the addresses that are handed on. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { SHOW_FIELDS, frameCode, linkWith, shownParts, themeOf, wholeLink } from "../../attnviz/view/static/show/links.js";

const HERE = "http://localhost:8501/?model=reverse&text=a+%22b%22&present=1&tour=3&step=2&embed=true&show=answer";

test("a link to the whole page keeps what is seen, and drops how it was shown", () => {
  assert.equal(wholeLink(HERE), "http://localhost:8501/?model=reverse&text=a+%22b%22&step=2");
});

test("a link keeps the theme that its page was asked for, or takes another", () => {
  const dark = linkWith(HERE, { embed_options: "dark_theme" });
  assert.deepEqual([HERE, dark, linkWith(HERE, { embed_options: "show_toolbar" })].map(themeOf), ["", "dark", ""]);
  assert.equal(wholeLink(dark), "http://localhost:8501/?model=reverse&text=a+%22b%22&step=2&theme=dark");
  assert.equal(wholeLink(`${dark}&embed_options=show_toolbar`, "light"), "http://localhost:8501/?model=reverse&text=a+%22b%22&step=2&theme=light&embed_options=show_toolbar");
  assert.equal(wholeLink(dark, ""), wholeLink(HERE));
});

test("the code of a frame is HTML whatever the text is", () => {
  const code = frameCode(wholeLink(HERE), 'A "title" <b>');
  assert.match(code, /^<iframe src="http:\/\/localhost:8501\/\?model=reverse&amp;text=a\+%22b%22&amp;step=2&amp;embed=true&amp;show=answer%2Cweights%2Clines" title="A &quot;title&quot; &lt;b>"/);
});

test("parts are shown by name, in a frame three of them, else all", () => {
  const { read } = SHOW_FIELDS.show;
  assert.equal(read("answer,weights"), "answer,weights");
  for (const wrong of ["", "answer,", "all", "answer weights"]) assert.equal(read(wrong), undefined);
  assert.deepEqual(shownParts("heads", true), ["heads"]);
  assert.deepEqual(shownParts("", true), ["answer", "weights", "lines"]);
  assert.equal(shownParts("", false), null);
  assert.deepEqual(["0", "7", "8", "x"].map(SHOW_FIELDS.tour.read), [0, 7, undefined, undefined]);
});
