/**
 * Keeps the address equal to what the page shows.
 * A change of one of the page's "steps" is a step in the browser's history. Back and Forward within the page are reported
 * to the server as "moved", and kept from Streamlit, which would take the page away and build it anew; where they lead to
 * another page, Streamlit opens it, and it reads the address itself. The view, which writes parameters of its own, hears of
 * each as the event "attnviz:moved": "view" where nothing but its own parameters changed, which is not reported; "page" where
 * the server's answer follows; "away". Each report has a number, which comes back with what the page shows then: what it
 * shows before is not written, for people have moved on.
 */
const pages = new WeakMap(); // parentElement -> {session, data, asked, popped, askedAnew, tell, hasAsked, isLeaving}
const SWITCH_MS = 3000;

/**
 * Streamlit takes a step in the history whenever a page comes that is not the address's. After a click that is right.
 * After Back and Forward it is a page that was left again before it came, and the step would cut off what lies ahead.
 */
function ignoreLatePages(history) {
  const push = history.pushState;
  if (push.ignoresLatePages) return;
  let isMoving = false;
  window.addEventListener("popstate", () => (isMoving = true), { capture: true });
  for (const started of ["click", "keydown"])
    window.addEventListener(started, () => (isMoving = false), { capture: true });
  history.pushState = (state, unused, url) => {
    const isOtherPage = new URL(url ?? "", window.location.href).pathname !== window.location.pathname;
    if (!(isMoving && isOtherPage)) push.call(history, state, unused, url);
  };
  history.pushState.ignoresLatePages = true;
}
ignoreLatePages(window.history);

/** Whether the address is this page's: on the way to another one it may be ahead of what is drawn, or behind. */
function isHere({ page, others, isFirstPage }) {
  const last = window.location.pathname.split("/").pop();
  return last === page || (isFirstPage && !others.includes(last));
}

/** Whether the address still has the page's parameters as they are shown. */
function isSame({ parameters }) {
  const now = inAddress();
  return Object.entries(parameters).every(([name, value]) => (now[name] ?? "") === value);
}

const inAddress = () => Object.fromEntries(new URLSearchParams(window.location.search));

function write({ parameters, steps }, isFirst) {
  const url = new URL(window.location.href);
  for (const [name, value] of Object.entries(parameters)) {
    if (value) url.searchParams.set(name, value);
    else url.searchParams.delete(name);
  }
  if (url.href === window.location.href) return;
  const before = inAddress();
  const isStep = steps.some((name) => (before[name] ?? "") !== (parameters[name] ?? ""));
  if (isStep && !isFirst) window.history.pushState(window.history.state, "", url);
  else window.history.replaceState(window.history.state, "", url);
}

/** Says to those who listen which links of the navigation are open. */
function markHere() {
  for (const link of document.querySelectorAll("[class*=st-key-nav-] a"))
    if (link.closest("[class*=st-key-here-]")) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
}

/** Streamlit is on its way to another page: until it is there, Back and Forward are its own, this page's included. */
function leave(page) {
  page.isLeaving = true;
  setTimeout(() => (page.isLeaving = false), SWITCH_MS); // whoever is still here then has come back
}

/** Reports where the address is now. */
function report(page) {
  page.asked += 1;
  page.tell("moved", [page.asked, inAddress()]);
}

export default ({ data, parentElement, setTriggerValue }) => {
  let page = pages.get(parentElement);
  const isFirst = page === undefined;
  if (isFirst) {
    page = {
      session: data.session,
      asked: data.answered,
      popped: (event) => {
        if (!isHere(page.data)) leave(page);
        const inside = page.asked === page.data.answered && isSame(page.data) ? "view" : "page";
        const detail = page.isLeaving ? "away" : inside;
        window.dispatchEvent(new CustomEvent("attnviz:moved", { detail }));
        if (detail !== "away") event.stopImmediatePropagation();
        if (detail === "page") report(page);
      },
      askedAnew: () => (page.hasAsked = true),
    };
    pages.set(parentElement, page);
    window.addEventListener("popstate", page.popped, { capture: true }); // before Streamlit's own
    window.addEventListener("attnviz:reconnected", page.askedAnew); // the server reads the address itself
  }
  page.tell = setTriggerValue;
  page.data = data;
  const isAnother = page.session !== data.session;
  page.session = data.session;
  if (isAnother) page.asked = data.answered;
  if (isAnother && !page.hasAsked) {
    report(page); // the server began a new session behind this page: here is where it was
  } else {
    document.documentElement.lang = data.parameters.lang;
    markHere();
    if (isHere(data) && page.asked === data.answered) write(data, isFirst);
  }
  page.hasAsked = false;
  return () => {
    window.removeEventListener("popstate", page.popped, { capture: true });
    window.removeEventListener("attnviz:reconnected", page.askedAnew);
    pages.delete(parentElement);
  };
};
