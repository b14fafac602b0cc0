// The colours of the page: JupyterLab states its theme on <body>, other pages by the reader's own preference.
function isDark() {
  const said = document.body.dataset.jpThemeLight;
  return said === undefined ? matchMedia("(prefers-color-scheme: dark)").matches : said === "false";
}

function theme() {
  return isDark()
    ? { ink: "#f2f2f2", ground: "#16181c", grey: "rgba(150,150,150,0.22)", line: "rgba(235,235,235,0.65)", faint: "rgba(235,235,235,0.18)" }
    : { ink: "#111111", ground: "#ffffff", grey: "rgba(120,120,120,0.20)", line: "rgba(30,30,30,0.60)", faint: "rgba(30,30,30,0.14)" };
}

// On a dark ground the darkest of the palette are lifted, by as much as keeps them apart.
const LIFT = { "#0072B2": "#3F86FF", "#009E73": "#2CC79B", "#D55E00": "#F4692E", "#882255": "#C0346F" };

function colourOf(name, look) {
  if (name === "ink") return look.ink;
  return look.ink === "#f2f2f2" ? LIFT[name] || name : name;
}

// Calls `act` when the theme changes; gives back what stops it.
function onTheme(act) {
  const seen = new MutationObserver(act), media = matchMedia("(prefers-color-scheme: dark)");
  seen.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
  media.addEventListener("change", act);
  return () => { seen.disconnect(); media.removeEventListener("change", act); };
}
