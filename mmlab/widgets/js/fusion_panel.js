// What a FusionLab finds, as lines of a list: it shows what Python computed, and tells Python which button was pressed.
const ZERO = 18, FULL = 80; // per cent of a bar's width: where the zero line stands, and how far a score of 1 reaches

function buildRow(list, words, press) {
  const li = make("li", "fl-answer", list);
  const row = { li, place: make("span", "fl-place", li), move: make("span", "fl-move", li) };
  row.pick = make("button", "fl-picture", li, { type: "button" });
  row.image = make("img", "", row.pick, { alt: "", width: 40, height: 40 });
  row.names = make("div", "fl-names", li);
  row.name = make("div", "fl-name", row.names);
  row.bar = make("div", "fl-bar", row.names, { role: "img" });
  row.score = make("span", "fl-score", li);
  row.hear = make("button", "fl-hear", li, { type: "button" });
  row.hear.textContent = "▶";
  row.pick.addEventListener("click", () => press("pick", row.id));
  row.hear.addEventListener("click", () => press("hear", row.id));
  return row;
}

// Parts above zero are laid to the right of the zero line, parts below zero to its left; the tick is their sum.
function drawBar(bar, answer) {
  bar.replaceChildren();
  let right = ZERO, left = ZERO;
  for (const [name, value] of answer.parts) {
    const width = Math.abs(value) * FULL, at = value < 0 ? (left -= width) : right;
    if (value >= 0) right += width;
    make("i", `fl-part fl-fill-${name}`, bar, { style: `left:${Math.max(at, 0)}%;width:${width}%`, "data-part": name, "data-value": value.toFixed(4) });
  }
  make("i", "fl-zero", bar, { style: `left:${ZERO}%` });
  make("i", "fl-tick", bar, { style: `left:${ZERO + answer.score * FULL}%` });
}

function fillRow(row, answer, words, uri) {
  row.id = answer.index;
  row.li.dataset.thing = answer.id;
  row.place.textContent = answer.place;
  const moved = answer.move > 0 ? "up" : answer.move < 0 ? "down" : "still";
  row.move.className = `fl-move fl-${moved}`;
  row.move.textContent = moved === "still" ? "" : (moved === "up" ? "▲" : "▼") + Math.abs(answer.move);
  row.move.title = moved === "still" ? "" : words[moved].replace("{}", Math.abs(answer.move));
  if (row.image.src !== uri) row.image.src = uri || "data:,";
  row.image.hidden = !uri;
  row.name.textContent = answer.name;
  row.name.title = answer.name;
  row.pick.setAttribute("aria-label", words.pick + " " + answer.name);
  row.hear.setAttribute("aria-label", words.hear + " " + answer.name);
  row.hear.title = words.hear;
  row.hear.hidden = !answer.sound;
  row.score.textContent = answer.score.toFixed(2);
  row.score.title = `${words.chance} ${(100 * answer.chance).toFixed(1)} %`;
  row.score.dataset.chance = answer.chance.toFixed(4);
  const said = answer.parts.map(([name, value]) => `${words[name]} ${value.toFixed(2)}`).join(", ");
  row.bar.setAttribute("aria-label", said);
  row.bar.title = said;
  drawBar(row.bar, answer);
}

function render({ model, el }) {
  const words = model.get("words"), press = (type, index) => model.send({ type, index });
  el.classList.add("fl-panel");
  el.setAttribute("data-lm-suppress-shortcuts", "true"); // keys pressed here are not JupyterLab's
  const formula = make("div", "fl-formula", el, { role: "math", "data-testid": "formula" });
  const numbers = make("div", "fl-numbers", el, { "data-testid": "numbers" });
  const list = make("ol", "fl-answers", el, { "aria-label": words.answers }), rows = [];
  const notes = make("div", "fl-notes", el, { "data-testid": "notes" });
  const reply = make("div", "fl-reply", el, { "aria-live": "polite", "data-testid": "reply" });
  const code = make("div", "fl-code", el, { hidden: "" });
  const pre = make("pre", "", code, { tabindex: "0", "data-testid": "code", "aria-label": words.code });
  const copied = make("div", "fl-copied", code, { role: "status" });

  const draw = () => {
    const shown = model.get("shown"), pictures = model.get("pictures");
    if (!shown.answers) return;
    formula.innerHTML = shown.formula; // built by Python from numbers and fixed names
    numbers.textContent = shown.numbers;
    notes.textContent = shown.notes;
    el.classList.toggle("fl-stale", Boolean(shown.stale));
    while (rows.length < shown.answers.length) rows.push(buildRow(list, words, press));
    while (rows.length > shown.answers.length) rows.pop().li.remove();
    shown.answers.forEach((answer, i) => fillRow(rows[i], answer, words, pictures[answer.id]));
    el.dataset.rev = 1 + Number(el.dataset.rev || 0);
  };
  const say = () => { reply.textContent = model.get("reply"); };
  const show = () => {
    pre.textContent = model.get("code");
    code.hidden = !pre.textContent;
    copied.textContent = "";
    if (code.hidden || !navigator.clipboard) return;
    navigator.clipboard.writeText(pre.textContent).then(
      () => { copied.textContent = words.copied; },
      () => { copied.textContent = words.not_copied; }, // a browser may forbid it: the code can still be selected
    );
  };
  let frame = 0;
  const later = () => { if (!frame) frame = requestAnimationFrame(() => { frame = 0; draw(); }); };
  const listens = [["change:shown", later], ["change:pictures", later], ["change:reply", say], ["change:code", show]];
  for (const [event, act] of listens) model.on(event, act);
  draw(); say();
  return () => { for (const [event, act] of listens) model.off(event, act); cancelAnimationFrame(frame); };
}
export default { render };
