// Plotly's own widget module weighs 5 MB, and anywidget gives up on a widget whose module takes more than two
// seconds to start: on a busy machine the picture would freeze for good. This one starts at once and loads
// plotly's (the trait `_bundle`) behind it, once per page however many plots there are.

function load(text) {
  const shelf = (globalThis.unrolledPlotly ??= new Map());
  if (!shelf.has(text.length)) {
    const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
    shelf.set(text.length, import(url).then((module) => module.default));
  }
  return shelf.get(text.length);
}

export default () => {
  let plotly = null;
  const start = async (context) => {
    const made = await load(context.model.get("_bundle"));
    const widget = typeof made === "function" ? await made() : made;
    await widget.initialize?.(context);
    return widget;
  };
  return {
    initialize(context) {
      plotly = start(context);
    },
    async render(context) {
      return (await plotly).render(context);
    },
  };
};
