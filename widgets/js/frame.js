// A page that may stand in a frame: it tells the page around it how tall it is, and is told light or dark by it.
// `paintTheme(name)` is called at once and after every change; the page defines it. Its button switches by hand.
const FRAMED = window.parent !== window;
const wantsDark = matchMedia("(prefers-color-scheme: dark)");
let chosenTheme = new URLSearchParams(location.search).get("theme");
const themeNow = () => (["light", "dark"].includes(chosenTheme) ? chosenTheme : wantsDark.matches ? "dark" : "light");

function followFrame(button, paintTheme) {
  const paint = () => {
    document.documentElement.classList.toggle("dark", themeNow() === "dark");
    button.textContent = themeNow() === "dark" ? "light theme" : "dark theme";
    paintTheme(themeNow());
  };
  const choose = (name) => {
    chosenTheme = name;
    paint();
  };
  button.addEventListener("click", () => choose(themeNow() === "dark" ? "light" : "dark"));
  wantsDark.addEventListener("change", paint);
  document.documentElement.classList.toggle("framed", FRAMED);
  if (FRAMED) {
    window.addEventListener("message", (event) => {
      if (event.source === window.parent && ["light", "dark"].includes(event.data?.unrolledTheme)) choose(event.data.unrolledTheme);
    });
    const tell = () => window.parent.postMessage({ unrolledHeight: Math.ceil(document.body.getBoundingClientRect().height) }, "*");
    new ResizeObserver(tell).observe(document.body);
  }
  paint();
}
