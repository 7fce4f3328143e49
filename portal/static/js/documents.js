// A document's page by keyboard, and a list that looks again by itself while something in it moves.
{
  const typing = (target) => target.closest("input, textarea, select, dialog, [contenteditable]");

  document.addEventListener("keydown", (event) => {
    const form = document.querySelector("[data-facts]");
    if (!form || event.defaultPrevented || document.querySelector("dialog[open]")) return;
    const command = event.ctrlKey || event.metaKey;
    if (command && event.key === "Enter" && form.contains(event.target)) {
      event.preventDefault();
      form.requestSubmit(form.querySelector("[name=then]") ?? form.querySelector("[type=submit]"));
      return;
    }
    if (command && event.key === "s") {
      event.preventDefault();
      form.querySelector("[type=submit]")?.click();
      return;
    }
    if (event.key === "Escape" && form.contains(event.target)) return event.target.blur();
    if (command || event.altKey || typing(event.target)) return;
    const keys = { j: "[rel=next]", ArrowRight: "[rel=next]", k: "[rel=prev]", ArrowLeft: "[rel=prev]", u: "[rel=up]" };
    if (keys[event.key]) {
      const link = document.querySelector(`main ${keys[event.key]}`);
      if (link) { event.preventDefault(); link.click(); }
    } else if (event.key === "e") {
      event.preventDefault();
      const first = form.querySelector("[aria-invalid=true]") ?? (form.querySelector("[data-takes], [name=then][value=open]") && empty()) ?? form.querySelector("fieldset :is(input, select):not([type=hidden])");
      first?.focus();
      first?.select?.();
    }
  });

  // What was read stands beside an empty field: a click or the arrow down in the field takes it over.
  const take = (offer) => {
    const input = offer && document.getElementById(offer.dataset.takes);
    if (!input || input.disabled || input.value) return false;
    input.value = offer.dataset.value;
    offer.hidden = true;
    // an amount means nothing without its currency
    if (input.closest(".form-amounts") && input.id !== "f-currency") take(document.querySelector("[data-takes=f-currency]"));
    input.focus();
    input.select?.();
    return true;
  };
  document.addEventListener("click", (event) => take(event.target.closest("[data-takes]")));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" || event.altKey || event.ctrlKey || event.metaKey || !event.target.id) return;
    if (take(document.querySelector(`[data-facts] [data-takes="${event.target.id}"]:not([hidden])`))) event.preventDefault();
  });
  document.addEventListener("input", (event) => {
    const offer = event.target.id && document.querySelector(`[data-facts] [data-takes="${event.target.id}"]`);
    if (offer) offer.hidden = Boolean(event.target.value);
  });

  // The field one is in shows where on the page it was read.
  document.addEventListener("focusin", (event) => {
    for (const rect of document.querySelectorAll("[data-marks]")) {
      const here = rect.dataset.marks === event.target.id;
      rect.classList.toggle("marked", here);
      if (here) rect.scrollIntoView({ block: "nearest" });
    }
  });

  // A field that was refused is where the person goes on; on the next document to do, the first that is empty.
  const empty = () => [...document.querySelectorAll("[data-facts] fieldset :is(input, select)")].find((one) => !one.value);
  (document.querySelector("[data-facts] [aria-invalid=true]") ?? (location.hash === "#go-on" ? empty() : null))?.focus();

  // Rows move without being asked, but never under the hands of somebody who chooses some.
  let place = null;
  setInterval(() => {
    const list = document.getElementById("documents");
    if (!list?.querySelector("[data-live]") || document.hidden) return;
    if (list.querySelector(".tick:checked") || document.querySelector("dialog[open], details.menu[open]")) return;
    place = list.querySelector("tr[aria-current='true']")?.id ?? null;
    document.body.dispatchEvent(new CustomEvent("kontor:refresh"));
  }, 3000);

  document.addEventListener("htmx:after:swap", () => {
    const row = place && document.getElementById(place);
    if (!row) return;
    row.setAttribute("aria-current", "true");
    row.focus({ preventScroll: true });
    place = null;
  });
}
