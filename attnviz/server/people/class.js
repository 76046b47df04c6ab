/**
 * On every page of a server that holds a class: a line for its members. Students follow the page that is open for all;
 * the teacher opens the one before them.
 */
const TEXTS = {}; // language -> key -> message; Python fills it in
const EVERY_MS = 2500;

const url = (name) => new URL(name, document.baseURI).href;
const say = (key, values = {}) => (TEXTS[document.documentElement.lang] ?? TEXTS.en)[key].replace(/\{(\w+)\}/g, (_, name) => String(values[name]));

/** @type {HTMLElement} */
const bar = document.createElement("div");
bar.className = "attnviz-class";
bar.setAttribute("role", "status");
bar.hidden = true;
const style = document.createElement("style");
style.textContent = `
.attnviz-class { position: fixed; inset: auto 0.75rem 0.75rem auto; z-index: 1000; display: flex; flex-wrap: wrap; gap: 0.5rem 0.75rem; align-items: center;
  max-width: calc(100vw - 1.5rem); box-sizing: border-box; padding: 0.35rem 0.75rem; border-radius: 0.5rem; font: 0.85rem/1.4 "Source Sans", system-ui, sans-serif;
  color: light-dark(#31333f, #fafafa); background: light-dark(#fff, #262730); border: 1px solid light-dark(#c9ccd3, #555867); box-shadow: 0 1px 6px rgb(0 0 0 / 15%); }
.attnviz-class[hidden] { display: none; }
.attnviz-class input { font: inherit; color: inherit; width: 12rem; padding: 0.1rem 0.4rem; background: none; border: 1px solid; border-radius: 0.25rem; }
.attnviz-class button, .attnviz-class a { font: inherit; color: light-dark(#0072b2, #56b4e9); background: none; border: 0; padding: 0.15rem 0; cursor: pointer; text-decoration: underline; text-underline-offset: 0.2em; }
.stMainBlockContainer { padding-bottom: 4rem !important; }
@media print { .attnviz-class { display: none; } }`;

/** Sends a small object; the line shows what came of it. */
async function send(name, values) {
  await fetch(url(`attnviz/class/${name}`), { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(values) });
  look();
}

function button(key, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = say(key);
  made.addEventListener("click", act);
  return made;
}

/** The address of this page, relative to the app. */
function here() {
  const root = new URL(".", document.baseURI).pathname;
  return `./${location.pathname.slice(root.length)}${location.search}`;
}

/** In place of the line, a field for the nickname; Enter keeps it, Escape does not. */
function rename(nickname) {
  const field = document.createElement("input");
  Object.assign(field, { value: nickname, maxLength: 40, title: say("class.bar.nickname.ask"), placeholder: say("class.bar.nickname") });
  field.ariaLabel = say("class.bar.nickname.ask");
  const end = () => {
    drawn = "";
    look();
  };
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") send("nickname", { nickname: field.value }).then(end);
    else if (event.key === "Escape") end();
    else return;
    event.preventDefault();
  });
  bar.replaceChildren(field, button("class.bar.keep", () => send("nickname", { nickname: field.value }).then(end)));
  field.focus();
}

/** A student's page goes where the teacher's link leads: once to the address, and back to its page. */
function follow({ shown, shown_at: at }) {
  if (!shown) return;
  const target = new URL(shown, document.baseURI);
  target.searchParams.set("lang", document.documentElement.lang); // each reads in their own language
  const followed = sessionStorage.getItem("attnviz-followed") === String(at);
  if (followed && target.pathname === location.pathname) return;
  sessionStorage.setItem("attnviz-followed", String(at));
  location.assign(target);
}

let drawn = "";
function draw(now) {
  const lang = document.documentElement.lang;
  const scheme = getComputedStyle(document.querySelector(".stApp") ?? document.body).colorScheme;
  const key = JSON.stringify([now, lang, scheme]);
  if (key === drawn) return;
  drawn = key;
  bar.style.colorScheme = scheme;
  document.body.dataset.classRole = now.role;
  bar.lang = lang;
  bar.hidden = !now.role;
  if (!now.role) return;
  const text = document.createElement("span");
  if (now.role === "teacher") {
    text.textContent = say("class.bar.teacher", { name: now.name });
    const page = document.createElement("a");
    page.href = url("class");
    page.textContent = say("class.bar.page");
    const act = now.shown ? button("class.bar.release", () => send("show", { address: "" })) : button("class.bar.open", () => send("show", { address: here() }));
    bar.replaceChildren(text, ...(location.pathname === new URL(page.href).pathname && !now.shown ? [] : [act]), page);
    return;
  }
  const name = now.nickname || say("class.student", { n: now.number });
  text.textContent = now.shown ? say("class.bar.follows") : say("class.bar.student", { name: now.name, student: name });
  bar.replaceChildren(text, button("class.bar.nickname", () => rename(now.nickname)));
}

async function look() {
  const answer = await fetch(url("attnviz/class/now")).catch(() => null); // nobody answers; the next time somebody may
  if (!answer?.ok) return;
  const now = await answer.json();
  draw(now);
  if (now.role === "student") follow(now);
}

document.head.append(style);
document.body.append(bar);
look();
setInterval(() => document.hidden || look(), EVERY_MS);
export {};
