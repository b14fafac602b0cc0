// The shapes of points: disc, square, triangle, diamond. Colour is never the only thing that tells two groups apart.
function trace(g, mark, x, y, r) {
  g.beginPath();
  if (mark === 1) g.rect(x - r * 0.88, y - r * 0.88, r * 1.76, r * 1.76);
  else if (mark === 2) { g.moveTo(x, y - r * 1.2); g.lineTo(x + r * 1.1, y + r * 0.8); g.lineTo(x - r * 1.1, y + r * 0.8); g.closePath(); }
  else if (mark === 3) { g.moveTo(x, y - r * 1.25); g.lineTo(x + r * 1.25, y); g.lineTo(x, y + r * 1.25); g.lineTo(x - r * 1.25, y); g.closePath(); }
  else g.arc(x, y, r, 0, 2 * Math.PI);
}

function star(g, x, y, r) {
  g.beginPath();
  for (let i = 0; i < 10; i++) {
    const a = -Math.PI / 2 + i * Math.PI / 5, d = i % 2 ? r * 0.45 : r;
    g[i ? "lineTo" : "moveTo"](x + d * Math.cos(a), y + d * Math.sin(a));
  }
  g.closePath();
}

// A point drawn once per colour, shape and size, and stamped from then on: thousands of stamps take a few milliseconds.
class Stamps {
  constructor() { this.made = new Map(); }
  get(colour, mark, r, dpr) {
    const key = `${colour} ${mark} ${r} ${dpr}`;
    if (!this.made.has(key)) {
      const side = Math.ceil((2.6 * r + 2) * dpr), c = document.createElement("canvas");
      c.width = c.height = side;
      const g = c.getContext("2d");
      g.scale(dpr, dpr); g.fillStyle = colour; g.globalAlpha = 0.8;
      trace(g, mark, side / dpr / 2, side / dpr / 2, r); g.fill();
      this.made.set(key, c);
    }
    return this.made.get(key);
  }
}
