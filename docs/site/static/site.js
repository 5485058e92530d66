// Figures that are drawn when they are scrolled to, explorers in frames, and one theme for all of them.
"use strict";
const script = document.currentScript;
const PLOTLY = new URL("../plotly.min.js", script.src).href;
const LEAST = 620; // pixels: a narrower figure keeps this width and scrolls inside itself

const wantsDark = matchMedia("(prefers-color-scheme: dark)");
function themeNow() {
  const chosen = document.body.dataset.theme;
  return chosen === "dark" || chosen === "light" ? chosen : wantsDark.matches ? "dark" : "light";
}

// Searching reads other pages for excerpts, which a browser forbids to pages opened from a disk.
if (location.protocol === "file:" && typeof DOCUMENTATION_OPTIONS !== "undefined") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

let loading = null;
function plotly() {
  loading ??= new Promise((done, failed) => {
    const element = document.createElement("script");
    element.src = PLOTLY;
    element.onload = () => done(window.Plotly);
    element.onerror = failed;
    document.head.append(element);
  });
  return loading;
}

// The figures were drawn in the light theme; each of its colours has a partner in the dark one.
const triple = (hex) => [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16)).join(",");
const dark = new Map(
  Object.entries(window.unrolledTokens.light)
    .reverse()
    .flatMap(([name, hex]) => [[hex, unrolledTokens.dark[name]], [triple(hex), triple(unrolledTokens.dark[name])]]),
);
function painted(text, figure) {
  if (themeNow() === "light" || figure.layout.images) return JSON.parse(text); // drawings stay on white
  const made = JSON.parse(text.replace(/#[0-9a-f]{6}\b|(?<=rgba\()\d+,\d+,\d+/g, (old) => dark.get(old) ?? old));
  // A map's colours stay, so numbers written on its cells, some of them in white, keep theirs.
  const notes = figure.layout.annotations ?? [];
  if (figure.data.some((one) => one.type === "heatmap") && notes.some((one) => one.font?.color === "#ffffff"))
    notes.forEach((one, k) => one.xref !== "paper" && one.font?.color && (made.layout.annotations[k].font.color = one.font.color));
  return made;
}

async function draw(place) {
  const text = place.querySelector("script").textContent;
  const Plotly = await plotly();
  let card = place.querySelector(".drawn");
  if (!card) {
    card = document.createElement("div");
    card.className = "drawn";
    place.append(card);
  }
  const { data, layout } = painted(text, JSON.parse(text));
  layout.width = Math.max(LEAST, place.clientWidth);
  await Plotly.react(card, data, layout, { displayModeBar: false, showSendToCloud: false, scrollZoom: false });
  place.querySelector(":scope > img, :scope > p")?.remove();
}

function open(figure) {
  if (figure.querySelector("iframe")) return;
  const frame = document.createElement("iframe");
  frame.title = figure.dataset.title;
  frame.src = `${figure.dataset.page}?theme=${themeNow()}`;
  const before = figure.querySelector(".before");
  frame.style.height = `${Math.max(300, before.clientHeight)}px`;
  before.replaceChildren(frame);
  figure.querySelector("button").hidden = true;
}

addEventListener("message", (event) => {
  const height = event.data?.unrolledHeight;
  if (!(height > 0)) return;
  for (const frame of document.querySelectorAll(".live iframe")) {
    if (frame.contentWindow === event.source) frame.style.height = `${Math.min(height, 4000)}px`;
  }
});

function repaint() {
  document.querySelectorAll(".plot .drawn").forEach((card) => draw(card.parentElement));
  document.querySelectorAll(".live iframe").forEach((frame) => frame.contentWindow.postMessage({ unrolledTheme: themeNow() }, "*"));
}

const near = new IntersectionObserver(
  (seen) => {
    for (const one of seen.filter((entry) => entry.isIntersecting)) {
      near.unobserve(one.target);
      one.target.matches(".plot") ? draw(one.target) : open(one.target);
    }
  },
  { rootMargin: "300px" },
);

document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll(".plot, .live[data-open]").forEach((place) => near.observe(place));
  document.querySelectorAll(".live button").forEach((button) => button.addEventListener("click", () => open(button.closest(".live"))));
  new MutationObserver(repaint).observe(document.body, { attributes: true, attributeFilter: ["data-theme"] });
  wantsDark.addEventListener("change", repaint);
  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth === width) return;
    width = innerWidth;
    document.querySelectorAll(".plot .drawn").forEach((card) => draw(card.parentElement));
  });
});
