// Bytes from Python as typed arrays. A DataView may begin anywhere in its buffer, so the bytes are copied to an aligned place.
function typed(model, name, Kind) {
  const view = model.get(name);
  if (!view || !view.byteLength) return new Kind(0);
  return new Kind(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
}

// Every array that the canvas reads, decoded again only when its trait changes.
const KINDS = {
  points: Float32Array, markers: Float32Array, fused: Float32Array, trail: Float32Array,
  groups: Uint8Array, marks: Uint8Array, items: Int32Array, sprites: Int32Array,
};

// item -> the points of that item, for the lines between its modalities
function byItem(items) {
  const found = new Map();
  items.forEach((item, point) => { found.has(item) ? found.get(item).push(point) : found.set(item, [point]); });
  return found;
}
