// One element with its class and attributes, at the end of its parent.
function make(tag, className, parent, attributes = {}) {
  const made = document.createElement(tag);
  made.className = className;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (tag === "button" || attributes.tabindex) made.setAttribute("data-lm-suppress-shortcuts", "true"); // keys pressed here are not JupyterLab's
  parent.append(made);
  return made;
}
