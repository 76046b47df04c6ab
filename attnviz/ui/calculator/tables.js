/**
 * Small tables of numbers: a field for each cell, and beside each table a way to paste and to copy it whole.
 * What is typed goes to the server with a number of its own, and again until the server has confirmed it, so that fast
 * typing loses nothing; until then the table shows what was typed.
 */
const boxes = new WeakMap(); // parentElement -> Box
const FIELDS = 400; // cells from which on a table is edited as text

const STYLE = `
:host { display: block; }
.tables { display: flex; flex-wrap: wrap; gap: 0.7rem 1.1rem; align-items: flex-start; font: 0.85rem/1.35 var(--st-font);
  color: var(--st-text-color); }
figure { margin: 0; max-width: 100%; min-width: 0; }
figcaption { display: flex; align-items: baseline; gap: 0.5rem; white-space: nowrap; padding-bottom: 0.15rem; }
.name { font-weight: 600; font-size: 0.95rem; color: var(--tone, inherit); font-family: var(--st-code-font); }
.name sub { font-size: 0.75em; line-height: 0; }
.size { opacity: 0.7; font-size: 0.8rem; }
[data-role=query] { --tone: var(--query); }
[data-role=key] { --tone: var(--key); }
[data-role=value] { --tone: var(--value); }
.tables { --query: #0072b2; --key: #b04d00; --value: #00775a; }
.tables[data-dark=true] { --query: #56a8e0; --key: #f08a45; --value: #35c295; }
.grid { overflow: auto; max-height: 22rem; border: 1px solid var(--st-border-color); border-inline-start: 3px solid
  var(--tone, var(--st-border-color)); border-radius: 4px; width: max-content; max-width: 100%; }
table { border-collapse: collapse; font: 0.82rem/1 var(--st-code-font); font-variant-numeric: tabular-nums; }
td, th { padding: 0; border: 1px solid color-mix(in srgb, var(--st-border-color) 60%, transparent); }
tr:first-child > * { border-top: 0; }
tr:last-child > * { border-bottom: 0; }
tr > :first-child { border-left: 0; }
tr > :last-child { border-right: 0; }
th { font-weight: 400; opacity: 0.7; padding: 0 0.45rem; text-align: start; white-space: nowrap; }
td > span, input.cell { display: block; box-sizing: border-box; width: 3.7rem; height: 1.7rem; padding: 0 0.35rem;
  line-height: 1.7rem; text-align: end; font: inherit; line-height: 1.7rem; color: inherit; background: none; border: 0;
  white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
input.cell:hover { background: color-mix(in srgb, var(--st-text-color) 6%, transparent); }
input.cell:focus { outline: 2px solid var(--st-primary-color); outline-offset: -2px; }
input.cell[aria-invalid=true] { background: color-mix(in srgb, #d55e00 25%, transparent);
  outline: 2px solid #d55e00; outline-offset: -2px; }
button { all: unset; }
button, label.file { cursor: pointer; font-size: 0.8rem; color: var(--st-link-color); padding: 0.1rem 0.15rem; }
button:hover { text-decoration: underline; }
button:focus-visible, textarea:focus-visible, label.file:focus-within { outline: 2px solid var(--st-primary-color);
  outline-offset: 1px; }
.more { margin-inline-start: auto; }
.panel { display: flex; flex-direction: column; gap: 0.3rem; margin-top: 0.3rem; width: 20rem; max-width: 100%; }
[hidden] { display: none !important; }
textarea { box-sizing: border-box; width: 100%; white-space: pre; overflow: auto; min-height: 5.2rem; font: 0.78rem/1.4 var(--st-code-font);
  color: inherit; background: var(--st-secondary-background-color); border: 1px solid var(--st-border-color);
  border-radius: 4px; padding: 0.3rem 0.4rem; }
.actions { display: flex; flex-wrap: wrap; gap: 0.15rem 0.7rem; }
label.file input, .hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.said { min-height: 1.1em; font-size: 0.78rem; opacity: 0.8; }
@media (max-width: 700px) { td > span, input.cell { width: 3.3rem; } }
`;

function element(tag, parent, className = "", properties = {}) {
  const made = parent.appendChild(document.createElement(tag));
  if (className) made.className = className;
  return Object.assign(made, properties);
}

/** "W_Q" as W with a small Q below it. */
function title(parent, text) {
  const [letter, below] = text.split("_");
  const name = element("span", parent, "name", { textContent: letter });
  if (below) element("sub", name, "", { textContent: below });
  return name;
}

const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
const shapeOf = (cells) => `${cells.length}x${cells[0].length}`;
const asCsv = (cells) => cells.map((row) => row.join(",")).join("\n");
const asNumpy = (cells) => `np.array([${cells.map((row) => `[${row.join(", ")}]`).join(", ")}])`;
const isTable = (text) => /[\t\n,;[(]|\S\s+\S/.test(text.trim());

/** Whether the page is dark, by the lightness of its text. */
function isDark(node) {
  const [r, g, b] = (getComputedStyle(node).color.match(/[\d.]+/g) ?? [0, 0, 0]).map(Number);
  return r + g + b > 384;
}

class Box {
  constructor(parent) {
    element("style", parent, "", { textContent: STYLE });
    this.root = element("div", parent, "tables");
    this.figures = new Map(); // what it says -> Figure
    this.waiting = []; // edits that the server has not confirmed
    this.sequence = Date.now();
    this.tell = (_name, _value) => {};
  }

  send(edit) {
    this.sequence += 1;
    this.waiting.push({ sequence: this.sequence, ...edit });
    this.tell("edits", this.waiting);
  }

  show(data, tell) {
    this.tell = tell;
    this.data = data;
    this.root.dataset.dark = String(isDark(this.root));
    this.waiting = this.waiting.filter((edit) => edit.sequence > data.confirmed);
    const keyOf = ({ name, title }) => [name, title, ...Object.values(data.strings)].join("\n"); // what a figure says does not change
    const keys = new Set(data.tables.map(keyOf));
    for (const [key, figure] of this.figures) {
      if (keys.has(key)) continue;
      figure.root.remove();
      this.figures.delete(key);
    }
    data.tables.forEach((table, at) => {
      const key = keyOf(table);
      if (!this.figures.has(key)) this.figures.set(key, new Figure(this, table));
      const figure = this.figures.get(key);
      if (this.root.children[at] !== figure.root) this.root.insertBefore(figure.root, this.root.children[at] ?? null);
      figure.show(table);
    });
  }

  say(key, values = {}) {
    return fill(this.data.strings[`calculator.table.${key}`], values);
  }
}

class Figure {
  constructor(box, { name, role, title: heading, editable }) {
    this.box = box;
    this.name = name;
    this.root = element("figure", box.root);
    Object.assign(this.root.dataset, { name, role });
    const caption = element("figcaption", this.root);
    title(caption, heading);
    this.size = element("span", caption, "size");
    const verb = box.say(editable ? "paste" : "copy");
    const opener = { textContent: verb, ariaLabel: box.say("of", { what: verb, which: heading }), ariaExpanded: "false", onclick: () => this.open(this.panel.hidden) };
    this.opener = element("button", caption, "more", { type: "button", ...opener });
    this.grid = element("div", this.root, "grid", { tabIndex: -1 });
    this.panel = element("div", this.root, "panel", { hidden: true });
    this.text = element("textarea", this.panel, "", { spellcheck: false, readOnly: !editable, ariaLabel: box.say("text", { table: heading }) });
    const actions = element("div", this.panel, "actions");
    const button = (key, act) => element("button", actions, key, { type: "button", textContent: box.say(key), onclick: act });
    if (editable) {
      button("use", () => this.paste(this.text.value));
      this.picker(actions);
    }
    button("numpy", () => this.copy(asNumpy));
    button("csv", () => this.copy(asCsv));
    this.said = element("div", this.panel, "said", { role: "status" });
    this.root.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !this.panel.hidden) {
        this.open(false);
        this.opener.focus();
      }
    });
  }

  picker(parent) {
    const label = element("label", parent, "file");
    element("span", label, "", { textContent: this.box.say("file") });
    const input = element("input", label, "", { type: "file", accept: ".csv,.tsv,.txt,text/csv" });
    input.onchange = () => {
      this.take(input.files[0]);
      input.value = "";
    };
  }

  /** The numbers as they are copied: in full, where the table shows them rounded. */
  get numbers() {
    return this.table.full ?? this.table.cells;
  }

  open(isOpen) {
    this.panel.hidden = !isOpen;
    this.opener.ariaExpanded = String(isOpen);
    if (!isOpen) return;
    this.text.value = asCsv(this.numbers);
    this.said.textContent = "";
    this.text.focus();
    this.text.select();
  }

  paste(text) {
    this.box.send({ name: this.name, text });
    this.open(false);
  }

  async take(file) {
    if (!file) return;
    const bytes = new Uint8Array(await file.slice(0, this.box.data.largest + 1).arrayBuffer());
    let binary = "";
    for (let at = 0; at < bytes.length; at += 8192) binary += String.fromCharCode(...bytes.subarray(at, at + 8192));
    this.box.send({ name: this.name, file: file.name, bytes: btoa(binary) });
    this.open(false);
  }

  async copy(write) {
    this.text.value = write(this.numbers);
    this.text.select();
    try {
      await navigator.clipboard.writeText(this.text.value);
      this.said.textContent = this.box.say("copied");
    } catch {
      this.said.textContent = this.box.say("selected"); // a page that is not trusted with the clipboard
    }
  }

  show(table) {
    this.table = table;
    const size = table.cells.length ? `${table.cells.length} × ${table.cells[0].length}` : "";
    this.size.textContent = table.letters ? `${size} · ${table.letters}` : size;
    const isLarge = table.cells.length * (table.cells[0]?.length ?? 0) > FIELDS && table.editable;
    this.grid.hidden = isLarge;
    if (isLarge) {
      if (this.panel.hidden || this.drawn !== "text") {
        this.panel.hidden = false;
        this.text.value = asCsv(table.cells);
      }
      this.drawn = "text";
      this.grid.replaceChildren();
      return;
    }
    const drawn = `${shapeOf(table.cells)} ${table.editable} ${table.rows?.join(" ") ?? ""}`;
    if (this.drawn === "text") this.panel.hidden = true;
    if (this.drawn !== drawn) this.build(drawn);
    this.write();
  }

  build(drawn) {
    this.drawn = drawn;
    const table = document.createElement("table");
    element("caption", table, "hidden", { textContent: this.table.title });
    this.cells = this.table.cells.map((row, i) => {
      const line = element("tr", table);
      if (this.table.rows) element("th", line, "", { textContent: this.table.rows[i], scope: "row" });
      return row.map((_, j) => (this.table.editable ? this.field(element("td", line), i, j) : element("span", element("td", line))));
    });
    this.grid.replaceChildren(table);
  }

  field(parent, row, column) {
    const input = element("input", parent, "cell", { type: "text", inputMode: "decimal", autocomplete: "off", spellcheck: false });
    input.setAttribute("aria-label", this.box.say("cell", { table: this.table.title, row: row + 1, column: column + 1 }));
    input.onchange = () => this.box.send({ name: this.name, row, column, value: input.value });
    input.onfocus = () => input.select();
    input.onkeydown = (event) => this.move(event, row, column);
    input.onpaste = (event) => {
      const text = event.clipboardData.getData("text");
      if (!isTable(text)) return;
      event.preventDefault();
      input.blur();
      this.paste(text);
    };
    return input;
  }

  /** Up, down and Enter move between rows; Tab between cells. */
  move(event, row, column) {
    const by = { ArrowUp: -1, ArrowDown: 1, Enter: 1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    const next = this.cells[row + by]?.[column];
    if (next) next.focus();
    else event.target.blur();
  }

  /** Show what the server holds, with unconfirmed edits over it; the field being typed in is left alone. */
  write() {
    const { cells, problem, editable } = this.table;
    const active = this.grid.getRootNode().activeElement;
    cells.forEach((row, i) => row.forEach((cell, j) => {
      const node = this.cells[i][j];
      const isWrong = problem?.row === i && problem?.column === j;
      if (!editable) {
        node.textContent = cell;
        node.title = this.table.full?.[i]?.[j] ?? cell;
        return;
      }
      const later = this.box.waiting.findLast((edit) => edit.name === this.name && edit.row === i && edit.column === j);
      const text = later?.value ?? cell;
      if (node !== active || node.dataset.held === node.value) node.value = text;
      node.dataset.held = text;
      node.setAttribute("aria-invalid", String(isWrong));
      node.title = text.length > 6 ? text : "";
    }));
  }
}

export default ({ data, parentElement, setTriggerValue }) => {
  let box = boxes.get(parentElement);
  if (!box) boxes.set(parentElement, (box = new Box(parentElement)));
  box.show(data, setTriggerValue);
};
