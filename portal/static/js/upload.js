// Many files at once: <form data-dropzone …>, see templates/macros/upload.html for what the server answers.
const AT_ONCE = 3;

for (const form of document.querySelectorAll("form[data-dropzone]")) {
  const input = form.querySelector("input[type=file]");
  const list = document.getElementById(form.dataset.list);
  const sums = form.querySelector("[data-sums]");
  const waiting = [];
  const sum = { running: 0, total: 0, taken: 0, twin: 0, refused: 0 };
  form.classList.add("dropzone-live");

  const drag = (on) => (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    form.classList.toggle("over", on);
  };
  // the whole page is the target, so that nobody loses a page by missing the box
  addEventListener("dragover", drag(true));
  addEventListener("dragleave", (event) => { if (!event.relatedTarget) form.classList.remove("over"); });
  addEventListener("drop", (event) => { drag(false)(event); add(event.dataTransfer?.files ?? []); });
  input.addEventListener("change", () => { add(input.files); input.value = ""; });
  addEventListener("beforeunload", (event) => { if (sum.running || waiting.length) event.preventDefault(); });

  function add(files) {
    for (const file of files) {
      const line = document.getElementById("upload-line").content.firstElementChild.cloneNode(true);
      line.querySelector("[data-name]").textContent = file.name;
      list.append(line);
      waiting.push({ file, line, tries: 0 });
      sum.total += 1;
    }
    next();
  }

  function next() {
    while (sum.running < AT_ONCE && waiting.length) { sum.running += 1; send(waiting.shift()); }
    const done = sum.taken + sum.twin + sum.refused;
    if (sums) {
      sums.hidden = sum.total === 0;
      sums.querySelector("progress").max = sum.total;
      sums.querySelector("progress").value = done;
      sums.querySelector("[data-text]").textContent = sums.dataset.text
        .replace("%done", done).replace("%total", sum.total).replace("%refused", sum.refused);
    }
    if (sum.total && done === sum.total) document.body.dispatchEvent(new CustomEvent("kontor:uploaded", { bubbles: true }));
  }

  function send(item) {
    const body = new FormData(form);
    body.delete(input.name);
    // what no server takes is not sent, only named, so that it is listed with the reason
    if (item.file.size >= (form.dataset.most || Infinity)) {
      body.set("unsent", item.file.name);
      body.set("size", item.file.size);
    } else {
      body.set("file", item.file, item.file.name);
    }
    const request = new XMLHttpRequest();
    const bar = item.line.querySelector("progress");
    request.open("POST", form.action);
    request.setRequestHeader("X-CSRFToken", window.kontor.token);
    request.setRequestHeader("Accept", "application/json");
    request.responseType = "json";
    request.upload.onprogress = (event) => { if (event.lengthComputable) { bar.max = event.total; bar.value = event.loaded; } };
    request.onload = () => answered(item, request);
    request.onerror = () => again(item);
    request.send(body);
  }

  function answered(item, request) {
    if (request.status === 429 || request.status === 503) return again(item);
    const answer = request.response ?? {};
    end(item, answer.state ?? (request.status < 300 ? "taken" : "refused"), answer.text ?? list.dataset.broken, answer.url);
  }

  // a lost answer is sent once more: equal bytes are recognised, nothing is stored twice
  function again(item) {
    item.tries += 1;
    if (item.tries > 3) return end(item, "refused", list.dataset.broken);
    setTimeout(() => send(item), 1000 * 2 ** item.tries);
  }

  function end(item, state, text, url) {
    item.line.dataset.state = state;
    item.line.querySelector("progress").remove();
    const word = item.line.querySelector("[data-word]");
    word.textContent = text;
    const name = item.line.querySelector("[data-name]");
    if (url) { const link = document.createElement("a"); link.href = url; link.textContent = name.textContent; name.replaceChildren(link); }
    sum[state] = (sum[state] ?? 0) + 1;
    sum.running -= 1;
    next();
  }
}
