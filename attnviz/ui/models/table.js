/**
 * All models as one table, a part for each place they come from; with more than a few, a field that narrows it down.
 * Links lead to the Explorer and to runs; within the app they are followed without loading the page anew.
 */
const tables = new WeakMap(); // parentElement -> {find, head, list, tell, wanted}
const MANY = 10;

const STYLE = `
:host { display: block; }
.find { box-sizing: border-box; width: min(100%, 22rem); margin-bottom: 0.5rem; padding: 0.4rem 0.6rem;
  font: 0.9rem/1.4 var(--st-font); color: var(--st-text-color); background: var(--st-background-color);
  border: 1px solid var(--st-border-color); border-radius: var(--st-base-radius); }
.list { overflow-x: auto; border: 1px solid var(--st-border-color); border-radius: var(--st-base-radius);
  font: 0.9rem/1.4 var(--st-font); color: var(--st-text-color); }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption, .hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
th { background: var(--st-secondary-background-color); font-weight: 600; text-align: start; white-space: nowrap; }
th, td { padding: 0.3rem 0.6rem; vertical-align: baseline; }
td { border-top: 1px solid var(--st-border-color-light, var(--st-border-color)); white-space: nowrap; }
tbody th { padding-top: 0.7rem; background: none; font-size: 0.8rem; opacity: 0.75;
  border-top: 1px solid var(--st-border-color); }
.number { text-align: end; }
.title { min-width: 9rem; max-width: 22rem; white-space: normal; overflow-wrap: anywhere; unicode-bidi: isolate; }
.shown { white-space: normal; min-width: 9rem; max-width: 26rem; overflow-wrap: anywhere; }
.shown[data-state=yes]::before { content: "✓ "; color: #009e73; }
.shown[data-state=no]::before { content: "✕ "; color: #d55e00; }
.shown[data-state=unknown] span { opacity: 0.75; }
a, button { all: unset; cursor: pointer; color: var(--st-link-color); }
a + a, span + button { margin-inline-start: 0.6rem; }
a:hover, button:hover { text-decoration: underline; }
a:focus-visible, button:focus-visible, .find:focus-visible { outline: 2px solid var(--st-primary-color);
  outline-offset: 2px; }
.none { margin: 0; padding: 0.6rem; }
@media (max-width: 900px) {
  .find { width: 100%; }
  thead { display: none; }
  table, tbody { display: block; }
  tr { display: flex; flex-wrap: wrap; gap: 0.1rem 0.9rem; padding: 0.5rem 0.6rem;
    border-top: 1px solid var(--st-border-color-light, var(--st-border-color)); }
  tbody:first-of-type tr:first-child { border-top: 0; }
  tbody th { padding: 0; border: 0; }
  td { padding: 0; border: 0; white-space: normal; }
  td.title { flex: 1 1 60%; font-weight: 600; max-width: none; }
  td.actions { order: 1; flex-basis: 100%; }
  td.shown { flex-basis: 100%; max-width: none; }
  td[data-label]::before { content: attr(data-label) " "; opacity: 0.65; }
  td.kind { flex-basis: 100%; }
  td.kind::before { content: "" !important; }
  td.empty { display: none; }
}
`;

function element(tag, parent, className = "") {
  const made = parent.appendChild(document.createElement(tag));
  made.className = className;
  return made;
}

function write(node, text) {
  node.textContent = text;
  return node;
}

function build(root) {
  write(element("style", root), STYLE);
  const find = element("input", root, "find");
  find.type = "search";
  const list = element("div", root, "list");
  const table = element("table", list);
  const made = {
    find,
    table,
    caption: element("caption", table),
    head: element("tr", element("thead", table)),
    none: element("p", list, "none"),
    tell: () => {},
  };
  find.addEventListener("input", () => narrow(made));
  return made;
}

/** Show the rows in which all words of the field occur, and the parts that have any. */
function narrow(made) {
  const words = made.find.hidden ? [] : made.find.value.toLowerCase().split(/\s+/).filter(Boolean);
  let any = false;
  for (const part of made.table.tBodies) {
    let some = false;
    for (const row of part.querySelectorAll("tr[data-text]")) {
      row.hidden = !words.every((word) => row.dataset.text.includes(word));
      row.style.display = row.hidden ? "none" : "";
      some ||= !row.hidden;
    }
    part.hidden = !some;
    part.style.display = some ? "" : "none";
    any ||= some;
  }
  made.none.hidden = any;
}

/** A link that the app follows by itself, unless it is to be opened elsewhere. */
function link(parent, path, parameters, label, follow) {
  const made = write(element("a", parent), label);
  made.href = new URL(`${path}?${new URLSearchParams(parameters)}`, document.baseURI).href;
  if (!follow) return;
  made.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    follow();
  });
}

function addRow(made, part, entry, data) {
  const say = (key) => data.strings[`models.table.${key}`];
  const row = element("tr", part);
  row.dataset.text = `${entry.title} ${entry.name} ${entry.cells.kind}`.toLowerCase();
  row.dataset.name = entry.name;
  write(element("td", row, "title"), entry.title);
  for (const column of data.columns) {
    const value = entry.cells[column.key];
    const cell = element("td", row, `${column.key} ${column.isNumber ? "number" : ""} ${value === "–" ? "empty" : ""}`);
    if (column.key !== "shown") {
      cell.dataset.label = column.label;
      write(cell, value);
      continue;
    }
    cell.dataset.state = entry.state;
    write(element("span", cell), value);
    if (entry.state !== "unknown") continue;
    const check = write(element("button", cell), say("check"));
    check.type = "button";
    check.setAttribute("aria-label", `${say("check")}: ${entry.title}`);
    check.addEventListener("click", () => made.tell("check", entry.name));
  }
  const actions = element("td", row, "actions");
  link(actions, "./", { model: entry.name, lang: data.lang }, say("open"), () => made.tell("open", entry.name));
  if (entry.run) link(actions, "runs", { run: entry.run, lang: data.lang }, say("run"), () => made.tell("run", entry.run));
}

function draw(made, data) {
  const focused = made.table.getRootNode().activeElement?.closest("tr")?.dataset.name;
  const say = (key) => data.strings[`models.table.${key}`];
  write(made.caption, say("caption"));
  made.find.placeholder = say("find");
  made.find.setAttribute("aria-label", say("find"));
  made.find.hidden = data.rows.length <= MANY;
  made.find.style.display = made.find.hidden ? "none" : "";
  write(made.none, say("none"));
  made.head.replaceChildren();
  for (const column of [{ label: say("model") }, ...data.columns, { label: say("actions"), isQuiet: true }]) {
    const heading = element("th", made.head, column.isNumber ? "number" : "");
    heading.scope = "col";
    write(column.isQuiet ? element("span", heading, "hidden") : heading, column.label);
  }
  for (const part of [...made.table.tBodies]) part.remove();
  for (const section of data.sections) {
    const rows = data.rows.filter((entry) => entry.section === section.key);
    if (!rows.length) continue;
    const part = element("tbody", made.table);
    const heading = write(element("th", element("tr", part)), section.label);
    heading.colSpan = data.columns.length + 2;
    heading.scope = "rowgroup";
    for (const entry of rows) addRow(made, part, entry, data);
  }
  narrow(made);
  const row = [...made.table.rows].find((each) => focused && each.dataset.name === focused);
  row?.querySelector("button, a").focus();
}

export default ({ data, parentElement, setTriggerValue }) => {
  let made = tables.get(parentElement);
  if (made === undefined) tables.set(parentElement, (made = build(parentElement)));
  made.tell = setTriggerValue;
  draw(made, data);
};
