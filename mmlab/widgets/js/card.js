// The card beside the pointer: name and thumbnail at once, what Python knows more when it answers.
function placeCard(dom, cam, [x, y]) {
  const { offsetWidth: w, offsetHeight: h } = dom.card;
  dom.card.style.left = Math.max(2, x + 16 + w < cam.w ? x + 16 : x - 16 - w) + "px";
  dom.card.style.top = Math.max(2, Math.min(cam.h - h - 2, y - h / 2)) + "px";
}

function showCard(dom, s, cam, index) {
  dom.card.replaceChildren();
  dom.card.hidden = false;
  dom.card.dataset.index = index;
  const cell = s.sprites[index];
  if (s.image && cell >= 0) {
    const c = make("canvas", "mm-card-sprite", dom.card, { width: s.cell, height: s.cell });
    c.getContext("2d").drawImage(s.image, (cell % s.columns) * s.cell, Math.floor(cell / s.columns) * s.cell, s.cell, s.cell, 0, 0, s.cell, s.cell);
  }
  make("div", "mm-card-title", dom.card).textContent = s.labels[s.items[index]] || `#${index}`;
  placeCard(dom, cam, [cam.px(s.points[2 * index]), cam.py(s.points[2 * index + 1])]);
}

function hideCard(dom) { if (!dom.card.hidden) { dom.card.hidden = true; dom.card.replaceChildren(); dom.card.dataset.index = ""; } }

// What Python answered. It may come too late: then the card shows another point already, and stays as it is.
function fillCard(dom, s, cam, content, buffers, keep) {
  if (dom.card.hidden || Number(dom.card.dataset.index) !== content.index) return;
  dom.card.replaceChildren();
  const words = make("div", "mm-card-words", dom.card);
  const settle = () => placeCard(dom, cam, [cam.px(s.points[2 * content.index]), cam.py(s.points[2 * content.index + 1])]);
  content.parts.forEach((part, i) => {
    const image = make("img", "mm-card-" + part, dom.card, { alt: part });
    image.onload = settle;
    image.src = keep(buffers[i], "image/*");
    if (part === "picture") dom.card.prepend(image);
  });
  make("div", "mm-card-title", words).textContent = content.title;
  for (const said of content.lines) make("div", "mm-card-line", words).textContent = said;
  settle();
}
