/** Beside a training that is under way: what it has reached, a stop button, and the latest samples. */
import { button, element, write } from "./dom.js";

const PATIENCE_MS = 4000;

function render({ model, el }) {
  const root = element("section", { class: `un un-live ${model.get("theme")}`, "aria-label": "training" });
  const title = element("div", { class: "un-title", role: "heading", "aria-level": 2 });
  const words = element("p", { class: "un-sentence", role: "status", "aria-live": "off" });
  const stop = button("■ stop and keep", "stop the training and keep what it has learnt", ask);
  const bar = element("progress", { max: 1, "aria-label": "steps done" });
  const samples = element("div", { class: "un-samples", "aria-label": "latest samples" });
  let patience = null;

  function ask() {
    stop.disabled = true;
    write(stop, "stopping …");
    model.set("stop", true);
    model.save_changes();
    // A kernel that only listens between cells does not hear this; interrupting it does the same.
    patience = setTimeout(() => model.get("heard") || model.widget_manager?.kernel?.interrupt?.(), PATIENCE_MS);
  }

  function show() {
    write(title, model.get("title"));
    write(words, model.get("summary"));
    bar.value = model.get("share");
  }

  function showSamples() {
    samples.replaceChildren(...model.get("samples").map(([heat, text]) =>
      element("figure", { class: "un-figure" },
        element("figcaption", { text: `written at temperature ${heat}` }), element("pre", { text }))));
  }

  root.append(title, words, element("div", { class: "un-row" }, stop, bar), samples);
  el.append(root);
  show();
  showSamples();
  // The kernel waits with its first change until there is a plot that can take it.
  const look = setInterval(() => {
    if (!el.closest(".unrolled-card")?.querySelector(".js-plotly-plot .main-svg")) return;
    clearInterval(look);
    window.dispatchEvent(new Event("resize"));
    model.set("ready", true);
    model.save_changes();
  }, 100);
  const listeners = [["change:title", show], ["change:summary", show], ["change:share", show], ["change:samples", showSamples]];
  for (const [event, listener] of listeners) model.on(event, listener);
  return () => {
    clearTimeout(patience);
    clearInterval(look);
    for (const [event, listener] of listeners) model.off(event, listener);
    root.remove();
  };
}

export default { render };
