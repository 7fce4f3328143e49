// What every page has: the CSRF header of htmx requests, dialogs, menus, confirmations, toasts, copying, self-sending filters.
const token = document.querySelector('meta[name="csrf-token"]')?.content;

document.addEventListener("htmx:config:request", (event) => {
  const request = event.detail.ctx.request;
  if (token && request.method !== "GET") request.headers["X-CSRFToken"] = token;
});

// A reader without rights or session gets a whole page: never put it into a corner of another one.
document.addEventListener("htmx:response:error", (event) => {
  const text = event.detail.ctx?.response?.headers?.get("X-Notice");
  if (text) say(decodeURIComponent(text), "bad");
});

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) {
    event.preventDefault();
    const dialog = document.getElementById(opener.dataset.opens);
    dialog?.showModal();
    dialog?.querySelector("[autofocus], input:not([type=hidden]), select, textarea")?.focus();
    return;
  }
  if (event.target.closest("[data-closes]")) event.target.closest("dialog")?.close();
  // a click on the backdrop is a click on the dialog itself
  if (event.target.matches("dialog")) event.target.close();
  if (event.target.closest("[data-dismiss]")) event.target.closest(".toast, .alert")?.remove();
  const copier = event.target.closest("[data-copy]");
  if (copier) copy(copier);
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// <form data-confirm="Sure?"> asks once more, in the page's own dialog.
document.addEventListener("submit", (event) => {
  const form = event.target;
  const question = event.submitter?.dataset.confirm ?? form.dataset.confirm;
  if (!question || form.dataset.confirmed) {
    delete form.dataset.confirmed;
    return;
  }
  event.preventDefault();
  event.stopImmediatePropagation();
  const dialog = document.getElementById("confirm");
  dialog.querySelector("[data-question]").textContent = question;
  dialog.returnValue = "";
  dialog.onclose = () => {
    if (dialog.returnValue !== "yes") return;
    form.dataset.confirmed = "yes";
    form.requestSubmit(event.submitter);
  };
  dialog.showModal();
}, true);

// A second click on the same button sends nothing twice.
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented || event.target.method === "get" || event.target.method === "dialog") return;
  const button = event.submitter;
  if (!button || event.target.hasAttribute("data-again")) return;
  setTimeout(() => { button.disabled = true; });
  setTimeout(() => { button.disabled = false; }, 8000);
});
addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("button[type=submit]:disabled:not([data-off])")) button.disabled = false;
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-sends]")) event.target.form.requestSubmit();
});

async function copy(button) {
  const from = document.getElementById(button.dataset.copy);
  const text = from?.value ?? from?.textContent.trim() ?? button.dataset.text;
  try {
    await navigator.clipboard.writeText(text);
    say(button.dataset.copied, "good");
  } catch {
    from?.select?.();
  }
}

// say(text, "good" | "warn" | "bad"): a message that goes by itself; errors stay until they are put away.
function say(text, tone = "good") {
  const toast = document.getElementById("toast").content.firstElementChild.cloneNode(true);
  toast.classList.add(`toast-${tone}`);
  toast.querySelector("[data-text]").textContent = text;
  document.querySelector(".toasts").append(toast);
  if (tone === "good") setTimeout(() => toast.remove(), 6000);
}

document.querySelector(".tabs [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });

for (const toast of document.querySelectorAll(".toast[data-goes]")) setTimeout(() => toast.remove(), 9000);

window.kontor = { say, token };
