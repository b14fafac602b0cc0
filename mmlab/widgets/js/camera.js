// From data (x, y in [-1, 1], y upwards) to pixels and back, under zoom `k` and shift `x`, `y` (CSS pixels).
const MARGIN = 14, CLOSEST = 60;

class Camera {
  constructor() { this.w = 1; this.h = 1; this.home(); }
  home() { this.k = 1; this.x = 0; this.y = 0; }
  get unit() { return (Math.min(this.w, this.h) / 2 - MARGIN) * this.k; }
  px(x) { return this.w / 2 + this.x + x * this.unit; }
  py(y) { return this.h / 2 + this.y - y * this.unit; }
  // Zoom so that the place under (cx, cy) stays there.
  zoom(factor, cx = this.w / 2, cy = this.h / 2) {
    const k = Math.min(CLOSEST, Math.max(0.5, this.k * factor)), by = k / this.k;
    this.x = cx - this.w / 2 - (cx - this.w / 2 - this.x) * by;
    this.y = cy - this.h / 2 - (cy - this.h / 2 - this.y) * by;
    this.k = k;
  }
  get text() { return [this.k, this.x, this.y].map((v) => +v.toFixed(3)).join(","); }
}
