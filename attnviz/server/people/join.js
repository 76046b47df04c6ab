/** Sends the secret in the link's fragment, takes it out of the address and of the history, and leads on. */
const status = /** @type {HTMLElement} */ (document.querySelector("[role=status]"));
const secret = location.hash.slice(1);
history.replaceState(null, "", location.pathname + location.search);

try {
  const answer = await fetch(`./attnviz/class/join${location.search}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ secret }),
    referrerPolicy: "no-referrer",
  });
  const { role, message } = await answer.json();
  if (role) location.replace(`./${role === "teacher" ? "class" : ""}${location.search}`);
  else status.textContent = message || status.dataset.failed || "";
} catch {
  status.textContent = status.dataset.failed || "";
}
export {};
