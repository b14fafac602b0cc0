// Mouse, touch and keyboard. They change the camera and a few traits; nothing here computes results.
const PICK = 14, DWELL = 125, STILL = 4; // pixels, milliseconds, pixels

function nearest(s, cam, x, y, reach = PICK) {
  let best = -1, least = reach * reach;
  for (let i = 0; i < s.points.length / 2; i++) {
    if (s.off.has(s.groups[i])) continue;
    const d = (cam.px(s.points[2 * i]) - x) ** 2 + (cam.py(s.points[2 * i + 1]) - y) ** 2;
    if (d < least) { least = d; best = i; }
  }
  return best;
}

// The nearest point in one of four directions, for the arrow keys: near the axis of the direction counts for more.
function towards(s, cam, from, dx, dy) {
  let best = -1, least = Infinity;
  const x = from < 0 ? cam.w / 2 : cam.px(s.points[2 * from]), y = from < 0 ? cam.h / 2 : cam.py(s.points[2 * from + 1]);
  for (let i = 0; i < s.points.length / 2; i++) {
    if (i === from || greyed(s, i)) continue;
    const px = cam.px(s.points[2 * i]) - x, py = cam.py(s.points[2 * i + 1]) - y;
    const along = px * dx + py * dy, across = Math.abs(px * dy) + Math.abs(py * dx);
    if (from >= 0 && along <= 0.01) continue;
    const cost = from < 0 ? px * px + py * py : along + 2.5 * across;
    if (cost < least) { least = cost; best = i; }
  }
  return best;
}

function inside(path, x, y) {
  let within = false;
  for (let i = 0, j = path.length - 1; i < path.length; j = i++) {
    const [xi, yi] = path[i], [xj, yj] = path[j];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) within = !within;
  }
  return within;
}

function lassoed(s, cam, path) {
  const found = [];
  for (let i = 0; i < s.points.length / 2; i++)
    if (!s.off.has(s.groups[i]) && inside(path, cam.px(s.points[2 * i]), cam.py(s.points[2 * i + 1]))) found.push(i);
  return found;
}

// `act` holds what the view does: select, hover, lasso, zoom, pan, reset, tool, thumbs, clear.
function listen(dom, s, cam, act) {
  const c = dom.canvas;
  let from = null, moved = false;
  const place = (e) => { const box = c.getBoundingClientRect(); return [e.clientX - box.left, e.clientY - box.top]; };
  c.addEventListener("pointerdown", (e) => {
    if (e.button) return;
    from = place(e); moved = false; c.setPointerCapture(e.pointerId);
    if (s.tool === "lasso" || e.shiftKey) s.path = [from];
  });
  c.addEventListener("pointermove", (e) => {
    const p = place(e);
    if (!from) return act.hover(nearest(s, cam, ...p));
    if (Math.hypot(p[0] - from[0], p[1] - from[1]) > STILL) moved = true;
    if (s.path) { s.path.push(p); act.redraw(); }
    else if (moved) { act.pan(p[0] - from[0], p[1] - from[1]); from = p; }
  });
  c.addEventListener("pointerup", (e) => {
    if (!from) return;
    const path = s.path; s.path = null; from = null;
    if (path && moved) act.lasso(lassoed(s, cam, path));
    else if (!moved) act.select(nearest(s, cam, ...place(e)));
    act.redraw();
  });
  c.addEventListener("pointercancel", () => { from = null; s.path = null; act.redraw(); });
  c.addEventListener("pointerleave", () => act.hover(-1));
  c.addEventListener("dblclick", act.reset);
  c.addEventListener("wheel", (e) => { // the page scrolls on, unless the map was clicked first or Ctrl is held
    if (document.activeElement !== c && !e.ctrlKey && !e.metaKey) return;
    e.preventDefault(); act.zoom(Math.exp(-e.deltaY * 0.002), ...place(e));
  }, { passive: false });
  const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const keys = {
    "+": () => act.zoom(1.4), "=": () => act.zoom(1.4), "-": () => act.zoom(1 / 1.4), 0: act.reset, l: () => act.tool(s.tool === "lasso" ? "pan" : "lasso"),
    p: act.thumbs, Enter: () => act.select(s.selected), " ": () => act.select(s.selected), Escape: act.clear,
  };
  c.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    const way = arrows[e.key];
    const run = way ? (e.shiftKey ? () => act.pan(-40 * way[0], -40 * way[1]) : () => act.step(towards(s, cam, s.selected, ...way))) : keys[e.key];
    if (!run) return;
    e.preventDefault(); e.stopPropagation(); run();
  });
}
