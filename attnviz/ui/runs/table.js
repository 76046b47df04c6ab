/**
 * The list of runs as a table: a checkbox in each row to compare, the name as a button to look at one alone.
 * Rows are kept and only what changed is written, so that the focus stays where it is while runs go on.
 */
const tables = new WeakMap(); // parentElement -> {root, rows, chosen, tell}

const STYLE = `
:host { display: block; }
.list { max-height: 19rem; overflow: auto; border: 1px solid var(--st-border-color); border-radius: var(--st-base-radius);
  font: 0.9rem/1.4 var(--st-font); color: var(--st-text-color); }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
th { position: sticky; top: 0; z-index: 1; background: var(--st-secondary-background-color); font-weight: 600;
  text-align: start; white-space: nowrap; }
th, td { padding: 0.3rem 0.6rem; }
td { border-top: 1px solid var(--st-border-color-light, var(--st-border-color)); white-space: nowrap; }
td.note { white-space: normal; overflow-wrap: anywhere; opacity: 0.8; }
.number { text-align: end; }
tr.chosen td { background: color-mix(in srgb, var(--st-primary-color) 12%, transparent); }
button { all: unset; cursor: pointer; color: var(--st-link-color); font-family: var(--st-code-font); font-size: 0.85rem;
  overflow-wrap: anywhere; white-space: normal; unicode-bidi: isolate; }
button:hover { text-decoration: underline; }
button:focus-visible, input:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 2px; }
input { accent-color: var(--st-primary-color); width: 1rem; height: 1rem; margin: 0; vertical-align: -0.15rem; }
.state::before { content: ""; display: inline-block; width: 0.55em; height: 0.55em; margin-inline-end: 0.4em;
  border-radius: 50%; background: var(--dot, var(--st-gray-color, gray)); }
.state[data-state=running] { --dot: #009e73; }
.state[data-state=paused], .state[data-state=queued] { --dot: #e69f00; }
.state[data-state=failed], .state[data-state=interrupted] { --dot: #d55e00; }
.state[data-state=done] { --dot: #0072b2; }
@media (max-width: 700px) {
  thead { display: none; }
  tr { display: flex; flex-wrap: wrap; gap: 0.1rem 0.9rem; padding: 0.4rem 0.6rem;
    border-top: 1px solid var(--st-border-color); }
  tr.chosen { background: color-mix(in srgb, var(--st-primary-color) 12%, transparent); }
  td, tr.chosen td { padding: 0; border: 0; background: none; }
  td.name { flex: 1 1 80%; }
  td[data-label]::before { content: attr(data-label) " "; opacity: 0.65; }
  .state { flex-basis: 100%; }
}
@media (max-width: 700px) { td.state::before { content: ""; } }
`;

function element(tag, parent, className = "") {
  const made = parent.appendChild(document.createElement(tag));
  made.className = className;
  return made;
}

function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function build(parentElement) {
  const root = parentElement;
  const style = element("style", root);
  style.textContent = STYLE;
  const list = element("div", root, "list");
  const table = element("table", list);
  const made = {
    caption: element("caption", table),
    head: element("tr", element("thead", table)),
    body: element("tbody", table),
    rows: new Map(),
    chosen: new Set(),
    tell: () => {},
  };
  return made;
}

function choose(table, names) {
  table.chosen = new Set(names);
  for (const [name, row] of table.rows) mark(row, table.chosen.has(name));
  table.tell("choose", [...table.chosen]);
}

function mark(row, isChosen) {
  row.line.classList.toggle("chosen", isChosen);
  row.line.setAttribute("aria-selected", String(isChosen));
  row.box.checked = isChosen;
}

function addRow(table, name, columns) {
  const line = document.createElement("tr");
  const box = element("input", element("td", line));
  box.type = "checkbox";
  const button = element("button", element("td", line, "name"));
  button.type = "button";
  button.textContent = name;
  button.dataset.name = name;
  button.addEventListener("click", () => choose(table, [name]));
  box.addEventListener("change", () => {
    const names = new Set(table.chosen);
    if (box.checked) names.add(name);
    else names.delete(name);
    choose(table, names);
  });
  const cells = columns.map((column) => element("td", line, column.isNumber ? "number" : ""));
  const row = { line, box, cells };
  table.rows.set(name, row);
  return row;
}

function fill(row, entry, data) {
  row.box.setAttribute("aria-label", data.strings["runs.choose"].replace("{name}", () => entry.name));
  data.columns.forEach((column, index) => {
    const cell = row.cells[index];
    cell.dataset.label = data.strings[`runs.${column.key}`];
    const value = entry.cells[column.key] ?? "";
    write(cell, column.key === "created" && value ? localTime(value, data.lang) : value);
    if (column.key === "state") {
      cell.className = "state";
      cell.dataset.state = entry.state;
    }
    cell.hidden = entry.note !== "" && column.key !== "state";
  });
  row.note ??= element("td", row.line, "note");
  row.note.colSpan = data.columns.length - 1;
  row.note.hidden = entry.note === "";
  write(row.note, entry.note);
}

const localTime = (iso, lang) =>
  new Date(iso).toLocaleString(lang, { dateStyle: "medium", timeStyle: "short" });

function draw(table, data) {
  write(table.caption, data.strings["runs.caption"]);
  const keys = ["compare", "name", ...data.columns.map((column) => column.key)];
  const titles = keys.map((key) => data.strings[`runs.${key}`]);
  if (table.head.children.length !== titles.length) table.head.replaceChildren(...titles.map(heading));
  titles.forEach((title, index) => {
    write(table.head.children[index], title);
    table.head.children[index].classList.toggle("number", Boolean(data.columns[index - 2]?.isNumber));
  });
  const present = new Set(data.rows.map((entry) => entry.name));
  for (const [name, row] of table.rows) {
    if (present.has(name)) continue;
    row.line.remove();
    table.rows.delete(name);
  }
  data.rows.forEach((entry, index) => {
    const row = table.rows.get(entry.name) ?? addRow(table, entry.name, data.columns);
    fill(row, entry, data);
    mark(row, data.chosen.includes(entry.name));
    if (table.body.children[index] !== row.line) table.body.insertBefore(row.line, table.body.children[index] ?? null);
  });
  table.chosen = new Set(data.chosen);
}

function heading() {
  const made = document.createElement("th");
  made.scope = "col";
  return made;
}

export default ({ data, parentElement, setTriggerValue }) => {
  let table = tables.get(parentElement);
  if (table === undefined) tables.set(parentElement, (table = build(parentElement)));
  table.tell = setTriggerValue;
  draw(table, data);
};
