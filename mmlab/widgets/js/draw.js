// Drawing, in two layers: the cloud is kept as a picture and made again only when it changes; what moves lies over it.
const RADIUS = 2.6;

// Whether a point is grey: its group is off, or a lasso chose others.
function greyed(s, i) { return s.off.has(s.groups[i]) || (s.chosen.size > 0 && !s.chosen.has(i)); }

function drawCloud(s, cam, look, stamps, dpr) {
  const c = s.cloud; c.width = Math.round(cam.w * dpr); c.height = Math.round(cam.h * dpr);
  const g = c.getContext("2d"), n = s.points.length / 2, r = Math.round(4 * RADIUS * Math.min(2, Math.sqrt(cam.k))) / 4, later = [];
  const stamp = (i, colour) => {
    const picture = stamps.get(colour, s.marks[i] || 0, r, dpr), x = cam.px(s.points[2 * i]) * dpr, y = cam.py(s.points[2 * i + 1]) * dpr;
    if (x > -20 && y > -20 && x < c.width + 20 && y < c.height + 20) g.drawImage(picture, x - picture.width / 2, y - picture.height / 2);
  };
  for (let i = 0; i < n; i++) greyed(s, i) ? stamp(i, look.grey) : later.push(i);
  const colours = s.colours.map((name) => colourOf(name, look));
  if (s.pairs === "all") drawPairs(g, s, cam, look, dpr);
  for (const i of later) stamp(i, colours[s.groups[i]] || look.ink);
  if (s.thumbs) drawThumbs(g, s, cam, later, colours, dpr);
}

// A faint line from each point of an item to the item's first point.
function drawPairs(g, s, cam, look, dpr) {
  g.strokeStyle = look.faint; g.lineWidth = dpr; g.beginPath();
  for (const [, points] of s.byItem) for (const i of points.slice(1)) if (!greyed(s, i) && !greyed(s, points[0])) {
    g.moveTo(cam.px(s.points[2 * points[0]]) * dpr, cam.py(s.points[2 * points[0] + 1]) * dpr);
    g.lineTo(cam.px(s.points[2 * i]) * dpr, cam.py(s.points[2 * i + 1]) * dpr);
  }
  g.stroke();
}

// Pictures for points, as many as have room: where one lies, no other is laid over it.
function drawThumbs(g, s, cam, order, colours, dpr) {
  if (!s.image) return;
  const size = Math.min(34, 17 + 2 * cam.k), taken = new Map();
  const room = (x, y) => { // whether no picture lies within its own size of here
    const column = Math.floor(x / size), row = Math.floor(y / size);
    for (let c = column - 1; c <= column + 1; c++) for (let r = row - 1; r <= row + 1; r++)
      for (const [ox, oy] of taken.get(c + "," + r) || []) if (Math.abs(ox - x) < size && Math.abs(oy - y) < size) return false;
    const key = column + "," + row;
    taken.has(key) ? taken.get(key).push([x, y]) : taken.set(key, [[x, y]]);
    return true;
  };
  for (const i of order) {
    const cell = s.sprites[i], x = cam.px(s.points[2 * i]), y = cam.py(s.points[2 * i + 1]);
    if (!(cell >= 0) || x < 0 || y < 0 || x > cam.w || y > cam.h || !room(x, y)) continue;
    const left = (x - size / 2) * dpr, top = (y - size / 2) * dpr, side = size * dpr;
    g.fillStyle = "#ffffff"; g.fillRect(left, top, side, side);
    g.drawImage(s.image, (cell % s.columns) * s.cell, Math.floor(cell / s.columns) * s.cell, s.cell, s.cell, left, top, side, side);
    g.strokeStyle = colours[s.groups[i]] || "#888"; g.lineWidth = 1.5 * dpr; g.strokeRect(left, top, side, side);
  }
}

// Everything that moves: lines, rings, trail, markers, the fused point, the lasso.
function drawOver(g, s, cam, look) {
  const at = (a, i) => [cam.px(a[2 * i]), cam.py(a[2 * i + 1])];
  const line = (p, q, style, width = 1, dash = []) => {
    g.strokeStyle = style; g.lineWidth = width; g.setLineDash(dash);
    g.beginPath(); g.moveTo(...p); g.lineTo(...q); g.stroke(); g.setLineDash([]);
  };
  const ring = (p, r, style, width = 1.5) => { g.strokeStyle = style; g.lineWidth = width; g.beginPath(); g.arc(...p, r, 0, 7); g.stroke(); };
  const inkOf = (i) => colourOf(s.colours[s.groups[i]] || "ink", look);
  const one = s.points.length / 2 > s.selected && s.selected >= 0 ? at(s.points, s.selected) : null;
  const fused = s.fused.length ? at(s.fused, 0) : null;
  if (s.pairs !== "none") for (const i of [s.selected, s.hover]) if (i >= 0) for (const j of s.byItem.get(s.items[i]) || [])
    if (j !== i) line(at(s.points, i), at(s.points, j), inkOf(j), 2);
  const centre = fused || (s.markers.length && s.query ? at(s.markers, 0) : one);
  if (centre) for (const j of s.neighbours) if (j * 2 < s.points.length) { line(centre, at(s.points, j), look.line, 1, [3, 3]); ring(at(s.points, j), 6, inkOf(j)); }
  for (let t = 0; t + 1 < s.trail.length / 2; t++) { g.globalAlpha = 0.15 + 0.6 * t / (s.trail.length / 2); line(at(s.trail, t), at(s.trail, t + 1), look.ink, 2); }
  if (fused && s.trail.length) { g.globalAlpha = 0.75; line(at(s.trail, s.trail.length / 2 - 1), fused, look.ink, 2); }
  g.globalAlpha = 1;
  for (let m = 0; m < s.markers.length / 2; m++) {
    const p = at(s.markers, m), colour = colourOf(s.colours[s.markerGroups[m]] || "ink", look);
    if (fused) line(p, fused, colour, 2);
    g.fillStyle = colour; g.strokeStyle = look.ground; g.lineWidth = 2; trace(g, s.markerMarks[m] || 0, ...p, 7); g.fill(); g.stroke();
    ring(p, 11, look.ink, 1.5);
    if (s.markerLabels[m]) write(g, s.markerLabels[m], p, look, cam);
  }
  if (one) { ring(one, 8, look.ground, 4); ring(one, 8, look.ink, 2.5); }
  if (s.hover >= 0) ring(at(s.points, s.hover), 6, look.ink, 1.5);
  if (fused) { g.fillStyle = "#F0E442"; g.strokeStyle = "#111"; g.lineWidth = 1.5; star(g, ...fused, 11); g.fill(); g.stroke(); }
  if (s.path) {
    g.fillStyle = look.faint; g.strokeStyle = look.ink; g.lineWidth = 1.5; g.setLineDash([4, 3]); g.beginPath();
    s.path.forEach((p, i) => g[i ? "lineTo" : "moveTo"](...p)); g.closePath(); g.fill(); g.stroke(); g.setLineDash([]);
  }
  return fused || one;
}

// Words beside a marker, with a ground around them so that they can be read over the cloud.
function write(g, words, [x, y], look, cam) {
  g.font = "12px sans-serif"; g.textBaseline = "middle";
  const left = x + 15 + g.measureText(words).width < cam.w ? x + 15 : x - 15 - g.measureText(words).width;
  g.lineWidth = 4; g.strokeStyle = look.ground; g.strokeText(words, left, y); g.fillStyle = look.ink; g.fillText(words, left, y);
}
