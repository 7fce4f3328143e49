// Cuts between the pages of a file: set by click or Space, moved by drag or with the arrow keys. Without this script the
// boxes between the pages do the same.
{
  const form = document.querySelector("[data-split]");
  const cuts = [...form.querySelectorAll("[name=start]")];
  const sheets = [...form.querySelectorAll("[data-page]")];
  const button = form.querySelector("[type=submit]");
  const sums = form.querySelector("[data-sums]");

  const tell = () => {
    let number = 0;
    for (const sheet of sheets) {
      const cut = sheet.querySelector("[name=start]");
      if (!cut || cut.checked) number += 1;
      sheet.dataset.odd = number % 2;
      const name = sheet.querySelector("[data-part]");
      name.textContent = name.dataset.part.replace("{n}", number);
    }
    button.disabled = number < 2;
    button.toggleAttribute("data-off", button.disabled); // else coming back to the page would let it go
    button.querySelector("span").textContent = button.dataset.many.replace("{n}", number);
    const begins = [1, ...cuts.filter((cut) => cut.checked).map((cut) => Number(cut.value)), sheets.length + 1];
    const ranges = begins.slice(1).map((next, at) => (next - 1 > begins[at] ? `${begins[at]}–${next - 1}` : `${begins[at]}`));
    const text = number < 2 ? sums.dataset.one : sums.dataset.many.replace("{pages}", ranges.join(" · "));
    if (sums.textContent !== text) sums.textContent = text;
  };

  const move = (from, to) => {
    if (!to || to === from || to.checked) return;
    from.checked = false;
    to.checked = true;
    to.focus();
    to.scrollIntoView({ block: "nearest", inline: "nearest" });
    tell();
  };

  // The arrows move a cut to the next free place between two pages; where there is none yet they only go on.
  form.addEventListener("keydown", (event) => {
    const at = cuts.indexOf(event.target);
    const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    if (at < 0 || !step || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    if (event.target.checked) move(event.target, cuts[at + step]);
    else cuts[at + step]?.focus();
  });
  form.addEventListener("change", tell);

  // A cut follows the pointer to the place that is nearest to it.
  const nearest = (event) => {
    let best = null;
    let least = Infinity;
    for (const cut of cuts) {
      const box = cut.getBoundingClientRect();
      const across = event.clientX - (box.left + box.right) / 2;
      const down = Math.max(box.top - event.clientY, 0, event.clientY - box.bottom);
      const far = Math.hypot(across, 3 * down);
      if (far < least) [best, least] = [cut, far];
    }
    return best;
  };
  let dragged = null;
  let begun = null;
  const mark = (target) => {
    for (const cut of cuts) cut.parentElement.classList.toggle("over", cut === target && cut !== dragged && !cut.checked);
  };
  form.addEventListener("pointerdown", (event) => {
    const cut = event.target.closest(".cut-mark")?.querySelector("input");
    if (!cut?.checked || event.button) return;
    [dragged, begun] = [cut, event];
  });
  document.addEventListener("pointermove", (event) => {
    if (!dragged || Math.hypot(event.clientX - begun.clientX, event.clientY - begun.clientY) < 6) return;
    document.documentElement.classList.add("dragging");
    mark(nearest(event));
  });
  const drop = (event) => {
    const moved = document.documentElement.classList.contains("dragging");
    document.documentElement.classList.remove("dragging");
    mark(null);
    if (dragged && moved && event.type === "pointerup") {
      const [from, to] = [dragged, nearest(event)];
      // the click that follows would join again where the cut was dropped
      addEventListener("click", (click) => click.target.closest(".cut-mark") && click.preventDefault(), { capture: true, once: true });
      setTimeout(() => move(from, to));
    }
    dragged = begun = null;
  };
  document.addEventListener("pointerup", drop);
  document.addEventListener("pointercancel", drop);
  tell();
}
