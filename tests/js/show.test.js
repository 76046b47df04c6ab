/** Tests the addresses that are handed on. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { SHOW_FIELDS, frameCode, frozenLink, shownParts, wholeLink } from "../../attnviz/view/static/show/links.js";

const HERE = "http://localhost:8501/?model=reverse&text=a+%22b%22&present=1&tour=3&step=2&embed=true&show=answer";

test("a link to the whole page keeps what is seen, and drops how it was shown", () => {
  assert.equal(wholeLink(HERE), "http://localhost:8501/?model=reverse&text=a+%22b%22&step=2");
  assert.equal(frozenLink(HERE), "http://localhost:8501/?model=reverse&text=a+%22b%22&step=2&lock=all");
});

test("the code of a frame is HTML whatever the text is", () => {
  const code = frameCode(HERE, 'A "title" <b>');
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
