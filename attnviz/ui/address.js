/**
 * Keeps the address of the page equal to the picture: model, text, target and language.
 * A new text is a step in the browser's history; Back and Forward are reported to the server as "moved".
 */
const pages = new WeakMap(); // parentElement -> {session, tell}

const inAddress = () => Object.fromEntries(new URLSearchParams(window.location.search));

function write({ lang, ...picture }, isFirst) {
  const url = new URL(window.location.href);
  for (const [name, value] of Object.entries({ ...picture, lang })) {
    if (value) url.searchParams.set(name, value);
    else url.searchParams.delete(name);
  }
  if (url.href === window.location.href) return;
  const before = inAddress();
  const isOther = Object.entries(picture).some(([name, value]) => (before[name] ?? "") !== value);
  if (isOther && !isFirst) window.history.pushState(window.history.state, "", url);
  else window.history.replaceState(window.history.state, "", url);
}

export default ({ data, parentElement, setTriggerValue }) => {
  let page = pages.get(parentElement);
  const isFirst = page === undefined;
  if (isFirst) {
    page = { session: data.session, moved: () => page.tell("moved", inAddress()) };
    pages.set(parentElement, page);
    window.addEventListener("popstate", page.moved);
  }
  page.tell = setTriggerValue;
  if (page.session !== data.session) {
    // the server began a new session behind this page: here is where it was
    page.session = data.session;
    page.moved();
  } else {
    document.documentElement.lang = data.parameters.lang;
    write(data.parameters, isFirst);
  }
  return () => {
    window.removeEventListener("popstate", page.moved);
    pages.delete(parentElement);
  };
};
