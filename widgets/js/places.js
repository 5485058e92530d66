/** Where a unit fires most or least: a list of excerpts in colour, each a button that goes to its place. */
import { column, peaks } from "./activations.js";
import { LONG, css, readable, shade } from "./colour.js";
import { KEYS, clip, element, glyph, labelled, number, setOptions, write } from "./dom.js";

// Widths in an excerpt: one character, and all that is not text.
const LETTER = 9.05;
const BESIDE = 170;
// A held key goes through many units; the list is made when it rests.
const CALM_BEFORE_LIST_MS = 100;

export function createPlaces(view) {
  const { store, state, sources } = view;
  const list = element("ol", { class: "un-places" }),
    caption = element("span");
  const direction = element("select", {
    ...KEYS,
    on: { change: () => store.set({ direction: direction.value }) },
  });
  setOptions(
    direction,
    [
      ["highest", "highest"],
      ["lowest", "lowest"],
    ],
    state.direction,
  );

  function excerpt(source, values, t) {
    const room = clip(Math.floor((list.clientWidth - BESIDE) / LETTER), 12, 120);
    const { characters } = source,
      from = Math.max(0, t - Math.floor(0.6 * room)),
      to = Math.min(source.done, from + room);
    const letters = characters.slice(from, to).map((character, k) => {
      const rgb = shade(state.colour, values[from + k]);
      return element("span", {
        class: from + k === t ? "un-peak" : "",
        text: glyph(character),
        style: { "background-color": css(rgb), color: readable(rgb) },
      });
    });
    const plain = characters.slice(from, to).join("").replace(/\s+/g, " ");
    return element(
      "li",
      {},
      element(
        "button",
        {
          type: "button",
          class: "un-place",
          "aria-label": `${state.colour} ${number(values[t])} at character ${t + 1}: ${plain}`,
          ...KEYS,
          on: { click: () => store.set({ source: sources.indexOf(source), time: t }) },
        },
        element("span", { class: "un-place-value", text: number(values[t]) }),
        element("span", { class: "un-excerpt" }, ...letters),
        element("span", { class: "un-soft", text: (t + 1).toLocaleString("en") }),
      ),
    );
  }

  function fill() {
    const source = view.searched(),
      values = column(source, state.layer, state.colour, state.unit);
    const found = peaks(values, { lowest: state.direction === "lowest" });
    list.replaceChildren(...found.map((t) => excerpt(source, values, t)));
    const where = sources.length > 1 ? ", in the longer text" : "";
    write(
      caption,
      `Places where the ${LONG[state.colour]} of unit ${state.unit} is ${state.direction}${where}`,
    );
  }

  let calm = null;
  return {
    element: element(
      "figure",
      { class: "un-figure" },
      element("figcaption", { class: "un-row" }, caption, labelled("show the", direction)),
      list,
    ),
    update(changed) {
      direction.value = state.direction;
      const source = view.searched();
      const finished = changed.has("progress") && source.done === source.characters.length;
      if (!finished && !view.any(changed, ["start", "unit", "layer", "colour", "direction", "width"])) return;
      list.style.minHeight = `${32 * Math.min(8, Math.ceil(source.characters.length / 100))}px`;
      clearTimeout(calm);
      calm = setTimeout(fill, CALM_BEFORE_LIST_MS);
    },
    stop: () => clearTimeout(calm),
  };
}
