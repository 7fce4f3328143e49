// Lists by keyboard: j/k or arrows move, Enter or a (double) click opens, x chooses, "/" searches, Home and End jump.
// <table data-rows> with <tr data-href="…" tabindex="-1">; boxes <input class="tick" name="chosen">, one with data-all in the head.
const typing = (target) => target.closest("input:not(.tick), textarea, select, dialog, [contenteditable]");
const rows = () => [...document.querySelectorAll("[data-rows] tbody tr[data-href]")];
const current = () => document.querySelector("[data-rows] tr[aria-current='true']");

function go(row) {
  if (!row) return;
  current()?.removeAttribute("aria-current");
  row.setAttribute("aria-current", "true");
  row.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

function open(row, event) {
  if (event.ctrlKey || event.metaKey) window.open(row.dataset.href, "_blank", "noopener");
  else location.assign(row.dataset.href);
}

const moves = {
  j: (all, at) => all[Math.min(at + 1, all.length - 1)],
  k: (all, at) => all[Math.max(at - 1, 0)],
  Home: (all) => all[0],
  End: (all) => all[all.length - 1],
};
moves.ArrowDown = moves.j;
moves.ArrowUp = moves.k;

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.altKey || typing(event.target)) return;
  if (event.key === "/" && !event.ctrlKey && !event.metaKey) {
    const search = document.querySelector("[data-search]") ?? document.querySelector("[data-search-all]");
    if (search) { event.preventDefault(); search.focus(); search.select(); }
    return;
  }
  const all = rows();
  if (!all.length) return;
  const row = current();
  // letters also move from a button that was just left; arrows there belong to the button's own surroundings
  const inPage = "jk".includes(event.key) || event.target === document.body || event.target.closest("[data-rows]");
  if (moves[event.key] && inPage && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    go(moves[event.key](all, all.indexOf(row)));
  } else if (event.key === "Enter" && row && (event.target === row || event.target === document.body)) {
    event.preventDefault();
    open(row, event);
  } else if (event.key === "x" && row) {
    row.querySelector(".tick")?.click();
  } else if ((event.key === "n" || event.key === "p") && !event.ctrlKey && !event.metaKey) {
    document.querySelector(event.key === "n" ? "[rel=next]" : "[rel=prev]")?.click();
  }
});

document.addEventListener("keydown", (event) => {
  if (event.target.matches("[data-search]") && event.key === "ArrowDown") { event.preventDefault(); event.target.blur(); go(rows()[0]); }
});

document.addEventListener("click", (event) => {
  const row = event.target.closest("[data-rows] tr[data-href]");
  if (!row || event.target.closest("a, button, input, label, select, summary, details")) return;
  if (getSelection().toString()) return; // somebody marks text
  open(row, event);
});

document.addEventListener("change", (event) => {
  if (!event.target.matches(".tick")) return;
  const table = event.target.closest("table");
  const boxes = [...table.querySelectorAll("tbody .tick")];
  if (event.target.hasAttribute("data-all")) for (const box of boxes) box.checked = event.target.checked;
  const chosen = boxes.filter((box) => box.checked).length;
  const all = table.querySelector("[data-all]");
  if (all) { all.checked = chosen > 0 && chosen === boxes.length; all.indeterminate = chosen > 0 && chosen < boxes.length; }
  const bar = document.querySelector("[data-chosen-bar]");
  if (bar) { bar.hidden = chosen === 0; bar.querySelector("[data-chosen-count]").textContent = chosen; }
});
