// The elements around the canvas. Every control is a button with a name; the canvas can be reached with the Tab key.
function buildDom(el, words) {
  el.classList.add("mm-view");
  const bar = make("div", "mm-bar", el, { role: "toolbar", "aria-label": words.map });
  const button = (name) => {
    const made = make("button", "mm-button", bar, { type: "button", title: words[name + "_help"], "data-act": name });
    made.textContent = words[name];
    return made;
  };
  const buttons = Object.fromEntries(["pan", "lasso", "closer", "further", "reset", "thumbs"].map((name) => [name, button(name)]));
  const stage = make("div", "mm-stage", el);
  const canvas = make("canvas", "mm-canvas", stage, { tabindex: "0", role: "application", "aria-roledescription": words.map, "aria-label": words.map });
  const card = make("div", "mm-card", stage, { role: "tooltip", hidden: "" });
  const legend = make("div", "mm-legend", el, { role: "group", "aria-label": words.legend });
  const note = make("div", "mm-note", el);
  const readout = make("div", "mm-readout", el, { "aria-live": "polite", "data-testid": "readout" });
  const message = make("div", "mm-message", el, { role: "alert", "aria-live": "assertive", "data-testid": "message" });
  return { bar, buttons, stage, canvas, card, legend, note, readout, message };
}

// One button per group; pressed means shown in colour.
function buildLegend(dom, s, look, toggle) {
  const key = JSON.stringify([s.legend, s.colours, [...s.off], s.groupMarks, look.ink]);
  if (dom.legend.dataset.key === key) return;
  const focus = [...dom.legend.children].indexOf(document.activeElement);
  dom.legend.dataset.key = key;
  dom.legend.replaceChildren();
  if (s.legend.length < 2) return;
  s.legend.forEach((name, group) => {
    const made = make("button", "mm-key", dom.legend, { type: "button", "aria-pressed": String(!s.off.has(group)) });
    const dot = make("canvas", "mm-dot", made, { width: 28, height: 28, "aria-hidden": "true" }), g = dot.getContext("2d");
    g.fillStyle = s.off.has(group) ? look.grey : colourOf(s.colours[group], look);
    trace(g, s.groupMarks[group] || 0, 14, 14, 9); g.fill();
    made.append(name);
    made.addEventListener("click", () => toggle(group));
  });
  if (focus >= 0) dom.legend.children[focus]?.focus();
}
