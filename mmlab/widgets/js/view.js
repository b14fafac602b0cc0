// The view itself: reads the traits into `s`, draws on the next frame, and tells Python what the reader did.
const PLAIN = { labels: [], legend: [], colours: [], neighbours: [], pairs: "selected", thumbs: false, selected: -1, cell: 32, columns: 1 };
const BASE = new Set(["points", "groups", "marks", "items", "sprites", "legend", "colours", "off", "lasso", "pairs", "thumbs", "sheet", "cell", "columns", "height"]);

function read(model, s, name) {
  if (name in KINDS) s[name] = typed(model, name, KINDS[name]);
  else if (name in PLAIN) s[name] = model.get(name);
  if (name === "off") s.off = new Set(model.get("off"));
  if (name === "lasso") s.chosen = new Set(model.get("lasso"));
  if (name === "items") s.byItem = byItem(s.items);
  if (name.startsWith("marker_")) s[name.replace(/_(.)/, (_, c) => c.toUpperCase())] = model.get(name);
  if (name === "groups" || name === "marks" || name === "legend")
    s.groupMarks = s.legend.map((_, group) => { // the shape of a group in the legend, where all its points have one
      const here = new Set(); s.groups.forEach((g, i) => { if (g === group) here.add(s.marks[i] || 0); });
      return here.size === 1 ? [...here][0] : 0;
    });
}

function render({ model, el }) {
  const words = model.get("words"), dom = buildDom(el, words), cam = new Camera(), stamps = new Stamps();
  const s = { ...PLAIN, off: new Set(), chosen: new Set(), byItem: new Map(), groupMarks: [], hover: -1, tool: "pan", path: null, image: null,
    markerMarks: [], markerGroups: [], markerLabels: [], cloud: document.createElement("canvas") };
  for (const name in KINDS) s[name] = new KINDS[name](0);
  let frame = 0, again = 0, stale = true, dwell = 0, look = theme();
  const urls = new Set(), g = dom.canvas.getContext("2d");
  const keep = (buffer, type) => { const url = URL.createObjectURL(new Blob([buffer], { type })); urls.add(url); return url; };

  const draw = () => {
    clearTimeout(again);
    frame = 0;
    const dpr = window.devicePixelRatio || 1;
    if (!dom.stage.clientWidth) { again = setTimeout(redraw, 200); return; } // hidden just now, as while a theme loads
    cam.w = dom.stage.clientWidth; cam.h = model.get("height");
    const width = Math.round(cam.w * dpr), height = Math.round(cam.h * dpr);
    if (dom.canvas.width !== width || dom.canvas.height !== height) {
      dom.canvas.width = width; dom.canvas.height = height; dom.canvas.style.height = cam.h + "px"; stale = true;
    }
    if (stale) { drawCloud(s, cam, look, stamps, dpr); stale = false; }
    s.query = s.markers.length === 2;
    g.setTransform(1, 0, 0, 1, 0, 0); g.fillStyle = look.ground; g.fillRect(0, 0, width, height); g.drawImage(s.cloud, 0, 0);
    g.setTransform(dpr, 0, 0, dpr, 0, 0);
    const centre = drawOver(g, s, cam, look), [xlabel, ylabel] = model.get("axes"), said = dom.canvas.dataset;
    g.fillStyle = look.ink; g.font = "11px sans-serif"; g.textBaseline = "alphabetic"; g.fillText(xlabel, cam.w - 8 - g.measureText(xlabel).width, cam.h - 8); g.fillText(ylabel, 8, 16);
    buildLegend(dom, s, look, (group) => put({ off: s.off.has(group) ? [...s.off].filter((one) => one !== group) : [...s.off, group] }));
    for (const [name, pressed] of [["pan", s.tool === "pan"], ["lasso", s.tool === "lasso"], ["thumbs", s.thumbs]]) dom.buttons[name].setAttribute("aria-pressed", String(pressed));
    dom.buttons.thumbs.hidden = !model.get("sheet")?.byteLength;
    dom.canvas.classList.toggle("mm-lasso", s.tool === "lasso");
    dom.message.textContent = model.get("message"); dom.note.textContent = model.get("note");
    if (dom.readout.textContent !== model.get("readout")) dom.readout.textContent = model.get("readout");
    dom.canvas.setAttribute("aria-label", `${words.map}: ${s.points.length / 2} ${words.points}. ${model.get("readout")}`);
    said.fx = centre ? centre[0].toFixed(2) : ""; said.fy = centre ? centre[1].toFixed(2) : ""; // what a test compares with Python
    said.n = s.points.length / 2; said.zoom = cam.text; said.hover = s.hover; said.dark = String(look.ink === "#f2f2f2"); said.rev = 1 + Number(said.rev || 0);
  };
  const redraw = () => { if (!frame) frame = requestAnimationFrame(draw); };
  const redo = () => { stale = true; redraw(); };
  const put = (state) => { for (const name in state) model.set(name, state[name]); model.save_changes(); };

  const act = {
    redraw,
    hover: (i) => {
      if (i === s.hover) return;
      s.hover = i; clearTimeout(dwell); hideCard(dom); redraw();
      if (i >= 0) dwell = setTimeout(() => { showCard(dom, s, cam, i); model.send({ type: "hover", index: i }); }, DWELL);
    },
    select: (i) => { if (i >= 0) { dom.canvas.focus({ preventScroll: true }); put({ selected: i }); model.send({ type: "click", index: i }); } },
    step: (i) => { if (i >= 0) { put({ selected: i }); act.show(i); } },
    show: (i) => { const x = cam.px(s.points[2 * i]), y = cam.py(s.points[2 * i + 1]); if (x < 0 || y < 0 || x > cam.w || y > cam.h) act.pan(cam.w / 2 - x, cam.h / 2 - y); },
    lasso: (found) => put({ lasso: found }),
    pan: (dx, dy) => { cam.x += dx; cam.y += dy; hideCard(dom); redo(); },
    zoom: (factor, x, y) => { cam.zoom(factor, x, y); hideCard(dom); redo(); },
    reset: () => { cam.home(); hideCard(dom); redo(); },
    tool: (name) => { s.tool = name; redraw(); },
    thumbs: () => put({ thumbs: !s.thumbs }),
    clear: () => { s.tool = "pan"; s.path = null; hideCard(dom); put({ lasso: [], selected: -1 }); redraw(); },
  };
  const presses = { pan: () => act.tool("pan"), lasso: () => act.tool("lasso"), closer: () => act.zoom(1.4), further: () => act.zoom(1 / 1.4), reset: act.reset, thumbs: act.thumbs };
  for (const name in presses) dom.buttons[name].addEventListener("click", presses[name]);
  listen(dom, s, cam, act);

  const loadSheet = () => {
    const bytes = model.get("sheet");
    if (!bytes?.byteLength) { s.image = null; return; }
    const image = new Image();
    image.onload = () => { s.image = image; redo(); };
    image.src = keep(bytes, "image/*");
  };
  const receive = (content, buffers) => {
    if (content.type === "card") fillCard(dom, s, cam, content, buffers, keep);
    if (content.type === "home") act.reset();
    if (content.type === "sound") {
      dom.canvas.dataset.sound = 1 + Number(dom.canvas.dataset.sound || 0);
      new Audio(keep(buffers[0], content.mime)).play().catch(() => { dom.readout.textContent = words.silent; });
    }
  };
  const names = [...Object.keys(KINDS), ...Object.keys(PLAIN), "off", "lasso", "marker_marks", "marker_groups", "marker_labels", "message", "readout", "note", "axes", "height"];
  for (const name of ["legend", ...names]) read(model, s, name);
  const changes = names.map((name) => ["change:" + name, () => {
    read(model, s, name);
    if (name === "points") { s.hover = -1; clearTimeout(dwell); hideCard(dom); } // the point under the pointer has moved away
    BASE.has(name) ? redo() : redraw();
  }]);
  changes.push(["change:sheet", loadSheet], ["msg:custom", receive]);
  for (const [event, run] of changes) model.on(event, run);
  const resized = new ResizeObserver(redraw); resized.observe(dom.stage);
  const forget = onTheme(() => { look = theme(); redo(); });
  loadSheet(); draw();
  return () => {
    for (const [event, run] of changes) model.off(event, run);
    resized.disconnect(); forget(); clearTimeout(dwell); clearTimeout(again); cancelAnimationFrame(frame);
    for (const url of urls) URL.revokeObjectURL(url);
  };
}
export default { render };
