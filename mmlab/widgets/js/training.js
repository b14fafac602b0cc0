// Two curves that grow, a line of words, and a button. The limits follow the data; nothing is computed here.
const WIDTH = 360, HEIGHT = 200, LEFT = 46, BOTTOM = 24, TOP = 20;
const COLOURS = { losses: ["#0072B2", "#4FB3F0"], recalls: ["#D55E00", "#FF8A3D"] };

// One curve; a recall lies between 0 and 1, a loss between 0 and the largest so far.
function drawCurve(canvas, points, steps, name, title) {
  const g = canvas.getContext("2d"), scale = canvas.width / WIDTH, n = points.length / 2, night = isDark();
  const ink = night ? "#e8e8e8" : "#222222", faint = night ? "#444444" : "#e2e2e2";
  let top = name === "recalls" ? 1 : 0, end = steps;
  for (let i = 0; i < n; i++) { end = Math.max(end, points[2 * i]); if (name === "losses") top = Math.max(top, points[2 * i + 1]); }
  top = top || 1; end = end || 1;
  const x = (step) => LEFT + (step / end) * (WIDTH - LEFT - 8), y = (value) => HEIGHT - BOTTOM - (value / top) * (HEIGHT - BOTTOM - TOP);
  g.setTransform(scale, 0, 0, scale, 0, 0);
  g.fillStyle = night ? "#16181c" : "#ffffff"; g.fillRect(0, 0, WIDTH, HEIGHT);
  g.font = "11px sans-serif"; g.lineWidth = 1;
  for (const part of [0, 0.5, 1]) {
    g.strokeStyle = faint; g.beginPath(); g.moveTo(LEFT, y(part * top)); g.lineTo(WIDTH - 8, y(part * top)); g.stroke();
    g.fillStyle = ink; g.textAlign = "right"; g.fillText((part * top).toPrecision(2), LEFT - 5, y(part * top) + 4);
    g.textAlign = "center"; g.fillText(String(Math.round(part * end)), Math.min(x(part * end), WIDTH - 20), HEIGHT - 8);
  }
  g.textAlign = "left"; g.font = "600 12px sans-serif"; g.fillText(title, LEFT, 13);
  g.strokeStyle = COLOURS[name][night ? 1 : 0]; g.fillStyle = g.strokeStyle; g.lineWidth = 2; g.beginPath();
  for (let i = 0; i < n; i++) i ? g.lineTo(x(points[2 * i]), y(points[2 * i + 1])) : g.moveTo(x(points[0]), y(points[1]));
  g.stroke();
  if (n && (n === 1 || name === "recalls")) for (let i = 0; i < n; i++) { g.beginPath(); g.arc(x(points[2 * i]), y(points[2 * i + 1]), 3, 0, 7); g.fill(); }
  canvas.dataset.n = n; // what a test compares with Python
  canvas.dataset.y = n ? y(points[2 * n - 1]).toFixed(2) : "";
}

function render({ model, el }) {
  const words = model.get("words");
  el.classList.add("tr-view");
  el.setAttribute("data-lm-suppress-shortcuts", "true");
  const bar = make("div", "tr-bar", el), stop = make("button", "tr-stop", bar, { type: "button", "data-testid": "stop" });
  stop.textContent = words.stop; stop.title = words.stop_help;
  const status = make("span", "tr-status", bar, { role: "status", "data-testid": "status" });
  const done = make("progress", "tr-progress", bar, { max: "1", value: "0", "aria-label": words.progress });
  const row = make("div", "tr-row", el), canvases = {};
  for (const name of ["losses", "recalls"]) {
    canvases[name] = make("canvas", "tr-canvas", row, { width: 2 * WIDTH, height: 2 * HEIGHT, role: "img", "data-testid": name });
    canvases[name].style.cssText = `width:${WIDTH}px;height:${HEIGHT}px`;
  }
  const message = make("div", "mm-message", el, { role: "alert", "data-testid": "message" });
  // A kernel that runs a cell reads no messages, but it can be interrupted; Python takes an interrupt for this button.
  stop.addEventListener("click", async () => {
    stop.disabled = true; status.textContent = words.stopping;
    model.send({ type: "stop" });
    const whole = await model.widget_manager.get_model(model.get("own"));
    whole?.widget_manager?.kernel?.interrupt?.();
  });
  let frame = 0;
  const draw = () => {
    frame = 0;
    const losses = typed(model, "losses", Float32Array), recalls = typed(model, "recalls", Float32Array), steps = model.get("steps");
    drawCurve(canvases.losses, losses, steps, "losses", words.loss);
    canvases.recalls.hidden = !recalls.length;
    if (recalls.length) drawCurve(canvases.recalls, recalls, steps, "recalls", words.recall);
    status.textContent = model.get("status"); message.textContent = model.get("message");
    stop.disabled = !model.get("running");
    done.hidden = !steps;
    done.value = steps && losses.length ? losses[losses.length - 2] / steps : 0;
    for (const name in canvases) canvases[name].setAttribute("aria-label", status.textContent);
    el.dataset.rev = 1 + Number(el.dataset.rev || 0);
  };
  const later = () => { if (!frame) frame = requestAnimationFrame(draw); };
  const names = ["losses", "recalls", "steps", "status", "running", "message"];
  for (const name of names) model.on("change:" + name, later);
  const forget = onTheme(later);
  draw();
  return () => { forget(); for (const name of names) model.off("change:" + name, later); cancelAnimationFrame(frame); };
}
export default { render };
