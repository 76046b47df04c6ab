/** A list of cards in place of a table. Their buttons stay when the facts change, and so does the focus on them. */
const lists = new WeakMap(); // parentElement -> {list, cards: Map, tell, data}

function element(tag, parent, text = "", className = "") {
  const made = parent.appendChild(document.createElement(tag));
  made.textContent = text;
  made.className = className;
  return made;
}

function written({ value, time }, lang) {
  if (time) return new Date(time).toLocaleString(lang, { dateStyle: "medium", timeStyle: "short" });
  if (typeof value !== "number") return value;
  return value.toLocaleString(lang, Number.isInteger(value) ? {} : { maximumSignificantDigits: 3 });
}

function build(made, { name, title, isChosen, actions, spoken }) {
  const node = document.createElement("li");
  if (isChosen !== null) {
    const box = element("input", node);
    box.type = "checkbox";
    box.setAttribute("aria-label", title);
    box.addEventListener("change", () => {
      const others = made.data.cards.filter((card) => card.isChosen && card.name !== name);
      made.tell("choose", [...others.map((card) => card.name), ...(box.checked ? [name] : [])]);
    });
  }
  element("strong", node, title);
  for (const [action, label] of Object.entries(actions)) {
    const button = element("button", node, label);
    button.type = "button";
    button.setAttribute("aria-label", spoken[action]);
    button.addEventListener("click", () => made.tell("act", [action, name]));
  }
  element("p", node);
  return node;
}

function fill(node, { color, isChosen, facts }, lang) {
  if (isChosen !== null) node.querySelector("input").checked = isChosen;
  node.style.borderInlineStart = color && `0.25rem solid ${color}`;
  const place = node.querySelector("p");
  place.replaceChildren();
  for (const fact of facts) {
    const line = element("span", place);
    element("small", line, `${fact.label} `);
    line.append(written(fact, lang));
  }
}

export default ({ data, parentElement, setTriggerValue }) => {
  if (!lists.has(parentElement)) lists.set(parentElement, { list: element("ul", parentElement), cards: new Map() });
  const made = lists.get(parentElement);
  Object.assign(made, { data, tell: setTriggerValue });
  made.list.setAttribute("aria-label", data.label);
  const before = made.cards;
  made.cards = new Map();
  data.cards.forEach((card, index) => {
    const controls = JSON.stringify([card.name, card.title, card.actions]);
    const node = before.get(controls) ?? build(made, card);
    before.delete(controls);
    made.cards.set(controls, node);
    fill(node, card, data.lang);
    if (made.list.children[index] !== node) made.list.insertBefore(node, made.list.children[index] ?? null);
  });
  for (const node of before.values()) node.remove();
};
