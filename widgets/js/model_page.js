/**
 * A character network on one page: the die that rolls for text, and the microscope that opens what was written.
 *
 * widgets/model_page.py lays both modules in front of this one, as `dieModule` and `microscopeModule`, each in a
 * scope of its own. Both see one model: the weights are there once.
 */
const OPENED = 200; // characters, the latest

function renderModelPage({ model, el }) {
  const packed = model.get("_models")[0] ?? {};
  const both = { on: (...args) => model.on(...args), off: (...args) => model.off(...args), set: (...args) => model.set(...args), save_changes: () => model.save_changes() };
  const asDie = { ...both, get: (name) => (name === "_model" ? packed : model.get(name)) };
  const asMicroscope = { ...both, get: (name) => model.get(name) };
  const places = ["die", "microscope"].map((name) => {
    const place = document.createElement("div");
    place.className = `un-part un-part-${name}`;
    el.append(place);
    return place;
  });
  const written = () => {
    const picks = model.get("picks");
    if (!picks.length) return; // the text below stays what it was until something has been rolled
    const symbols = [...model.get("seed_text"), ...picks.map(([id]) => packed.vocabulary[id])];
    model.set("text", symbols.slice(-OPENED).join(""));
  };
  const stops = [dieModule.render({ model: asDie, el: places[0] }), microscopeModule.render({ model: asMicroscope, el: places[1] })];
  model.on("change:picks", written);
  return () => {
    model.off("change:picks", written);
    for (const stop of stops) stop();
    for (const place of places) place.remove();
  };
}

export default { render: renderModelPage };
