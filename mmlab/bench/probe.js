// Run in the page before anything else: notes when something was painted, and how many bytes came from the kernel.
(() => {
  const W = window; let waiting = false;
  W.mmPaints = []; W.mmBytes = 0; W.mmKey = 0; W.mmMove = 0; W.mmReady = {};
  const painted = () => { // a message sent in a frame arrives after that frame was painted
    if (waiting) return;
    waiting = true; const began = performance.now();
    requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => { W.mmPaints.push([began, performance.now()]); waiting = false; };
      channel.port2.postMessage(0);
    });
  };
  for (const name of ["fill", "stroke", "fillRect", "drawImage", "putImageData"]) {
    const own = CanvasRenderingContext2D.prototype[name];
    CanvasRenderingContext2D.prototype[name] = function () { if (this.canvas.isConnected) painted(); return own.apply(this, arguments); };
  }
  document.addEventListener("load", (e) => { if (e.target.tagName === "IMG" && e.target.closest(".jp-OutputArea")) painted(); }, true);
  document.addEventListener("keydown", () => { W.mmKey = performance.now(); }, true);
  document.addEventListener("change", () => { W.mmKey = performance.now(); }, true);
  document.addEventListener("pointermove", () => { W.mmMove = performance.now(); }, true);
  document.addEventListener("mousemove", () => { W.mmMove = performance.now(); }, true);
  new MutationObserver(() => { // when a map was first drawn, on the clock that Python reads, too
    if (!W.mmReady.canvas && document.querySelector(".mm-canvas[data-rev]")) W.mmReady.canvas = performance.timeOrigin + performance.now();
  }).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-rev"] });
  const Socket = W.WebSocket;
  W.WebSocket = class extends Socket {
    constructor(url, protocols) {
      super(url, protocols);
      if (String(url).includes("/channels")) this.addEventListener("message", (e) => { W.mmBytes += e.data.byteLength ?? e.data.size ?? e.data.length; });
    }
  };
})();
