// Words, a picture and a spectrogram with values laid over them. Places are buttons: choosing one asks Python about it.
const SIDE = 256, WIDE = 420, HIGH = 150;

// Orange adds, blue takes away; how strongly says how much, relative to the largest.
function tint(value, most) {
  const part = most > 0 ? Math.min(1, Math.abs(value) / most) : 0;
  return `rgba(${value < 0 ? "0,114,178" : "213,94,0"},${(0.82 * part).toFixed(3)})`;
}

const largest = (values) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

function render({ model, el }) {
  const words = model.get("words");
  el.classList.add("at-view");
  el.setAttribute("data-lm-suppress-shortcuts", "true"); // keys pressed here are not JupyterLab's
  const tokens = make("div", "at-tokens", el, { role: "group", "aria-label": words.text });
  const row = make("div", "at-row", el);
  const canvases = {
    image: make("canvas", "at-canvas", row, { width: 2 * SIDE, height: 2 * SIDE, tabindex: "0", role: "img", "data-testid": "image" }),
    audio: make("canvas", "at-canvas", row, { width: 2 * WIDE, height: 2 * HIGH, tabindex: "0", role: "img", "data-testid": "audio" }),
  };
  canvases.image.style.cssText = `width:${SIDE}px;height:${SIDE}px`;
  canvases.audio.style.cssText = `width:${WIDE}px;height:${HIGH}px`;
  const said = make("div", "at-said", el, { "aria-live": "polite", "data-testid": "said" });
  const message = make("div", "mm-message", el, { role: "alert", "data-testid": "message" });
  const pictures = { image: new Image(), audio: new Image() };
  const values = (m) => typed(model, `${m}_values`, Float32Array);
  const ask = (modality, index) => model.send({ type: "ask", modality, index });

  const drawTokens = () => {
    const all = model.get("tokens"), shown = values("text"), most = largest(shown), [asker, index] = model.get("asked");
    const focus = [...tokens.children].indexOf(document.activeElement);
    tokens.replaceChildren();
    all.forEach((word, i) => {
      const value = shown.length ? shown[i] : null;
      const made = make("button", "at-token", tokens, { type: "button", "aria-pressed": String(asker === "text" && index === i) });
      made.textContent = word;
      if (value === null) return;
      made.style.background = tint(value, most);
      made.title = value.toFixed(3);
      made.setAttribute("aria-label", `${word} ${value.toFixed(3)}`);
      made.dataset.value = value.toFixed(4);
    });
    [...tokens.children].forEach((made, i) => made.addEventListener("click", () => ask("text", i)));
    if (focus >= 0) tokens.children[focus]?.focus();
  };
  const drawCanvas = (m) => {
    const c = canvases[m], g = c.getContext("2d"), shown = values(m), [rows, columns] = model.get(`${m}_grid`);
    c.hidden = !model.get(`${m}_picture`);
    if (c.hidden || !pictures[m].complete || !pictures[m].naturalWidth) return;
    g.imageSmoothingEnabled = false;
    g.filter = shown.length ? "grayscale(1)" : "none"; // colours then belong to the values alone
    g.drawImage(pictures[m], 0, 0, c.width, c.height);
    g.filter = "none";
    const w = c.width / columns, h = c.height / rows, most = largest(shown), shift = model.get(`${m}_shift`);
    const corner = (i) => [((i % columns) - shift) * w, (Math.floor(i / columns) - shift) * h];
    shown.forEach((value, i) => { g.fillStyle = tint(value, most); g.fillRect(...corner(i), w, h); });
    const [asker, index] = model.get("asked");
    if (asker === m && index >= 0) {
      g.strokeStyle = isDark() ? "#ffffff" : "#000000"; g.lineWidth = 4;
      const [x, y] = corner(index);
      g.strokeRect(x + 2, y + 2, Math.max(w - 4, 2), h - 4);
    }
    const top = shown.length ? shown.indexOf(shown.reduce((a, b) => Math.max(a, b), -Infinity)) : -1;
    c.dataset.top = top; // what a test compares with Python
    c.setAttribute("aria-label", `${words[m]}${top >= 0 ? `: ${words.most} ${top + 1}` : ""}`);
  };
  let frame = 0;
  const draw = () => {
    frame = 0;
    drawTokens(); drawCanvas("image"); drawCanvas("audio");
    said.textContent = model.get("said"); message.textContent = model.get("message");
    el.dataset.rev = 1 + Number(el.dataset.rev || 0);
  };
  const later = () => { if (!frame) frame = requestAnimationFrame(draw); };
  for (const m of ["image", "audio"]) {
    const load = () => { pictures[m].onload = later; pictures[m].src = model.get(`${m}_picture`) || "data:,"; };
    model.on(`change:${m}_picture`, load); load();
    const at = (x, y) => {
      const [rows, columns] = model.get(`${m}_grid`), shift = model.get(`${m}_shift`);
      return Math.min(rows - 1, Math.floor(y * rows + shift)) * columns + Math.min(columns - 1, Math.floor(x * columns + shift));
    };
    canvases[m].addEventListener("click", (e) => { const box = canvases[m].getBoundingClientRect(); ask(m, at((e.clientX - box.left) / box.width, (e.clientY - box.top) / box.height)); });
    canvases[m].addEventListener("keydown", (e) => {
      const [rows, columns] = model.get(`${m}_grid`), step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[e.key];
      if (!step) return;
      e.preventDefault();
      const [asker, index] = model.get("asked"), next = (asker === m ? index : 0) + step;
      if (next >= 0 && next < rows * columns) ask(m, next);
    });
  }
  const names = ["tokens", "text_values", "image_values", "audio_values", "image_grid", "audio_grid", "asked", "said", "message"];
  for (const name of names) model.on("change:" + name, later);
  const forget = onTheme(later);
  draw();
  return () => { forget(); for (const name of names) model.off("change:" + name, later); cancelAnimationFrame(frame); };
}
export default { render };
