/** Draws the Explorer's picture while its page is on the way, which takes it over. Python fills in addresses and width. */
const MODULES = "attnviz/view/modules.js";
const TEXTS = "attnviz/view/texts";
const WIDE = "(min-width: 0)";
const THEME = "stActiveTheme-/-v2"; // where Streamlit keeps a theme that was chosen
const PLACE = ".st-key-view"; // of the picture in the page
const STATE = "data-test-script-state"; // where Streamlit says whether it is still making the page
const DRAWN_MS = 500; // from then until the page is drawn
const STYLE = `position: fixed; inset: 257px 0 0; padding: 0 22.5px; overflow: hidden auto; z-index: 1; color-scheme: light dark; background: light-dark(#ffffff, #171614)`;

const address = (path) => new URL(path, document.baseURI).href;

/** Calls back when the page is there without a place for the picture: it has something else to say, or is another page. */
function whenNotWanted(then) {
  let ran = false;
  const watch = new MutationObserver(() => {
    const state = document.querySelector(`[${STATE}]`)?.getAttribute(STATE);
    ran ||= state === "running";
    if (!ran || state === "running") return;
    watch.disconnect();
    setTimeout(() => document.querySelector(PLACE) ?? then(), DRAWN_MS);
  });
  watch.observe(document, { subtree: true, childList: true, attributeFilter: [STATE] });
}

async function draw() {
  const [answer, views] = await Promise.all([fetch(address(`attnviz/first${location.search || "?"}`)), import(address(MODULES)), fetch(address(TEXTS))]);
  if (answer.status !== 200) return;
  const data = new Uint8Array(await answer.arrayBuffer());
  const hasOwnTheme = (localStorage.getItem(THEME) ?? '"System"') !== '"System"';
  if (hasOwnTheme || document.querySelector(PLACE)) return; // or the page was faster
  const host = document.createElement("div");
  host.id = "attnviz-first";
  host.style.cssText = STYLE;
  document.body.append(host);
  const remove = views.explorer({ data, parentElement: host, isEarly: true });
  whenNotWanted(() => {
    remove();
    host.remove();
  });
}

if (matchMedia(WIDE).matches) draw();
