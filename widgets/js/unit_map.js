/** All units of a layer over time: rows in the order that was asked for, each row one unit to choose. */
import { LONG, shade } from "./colour.js";
import {
  KEYS,
  clearCanvas,
  clip,
  element,
  labelled,
  listenKeys,
  number,
  pointerShare,
  setOptions,
  spoken,
  watchPointer,
  write,
} from "./dom.js";
import { chooseOrder, orderEntries, rank } from "./ranking.js";

export function createUnitMap(view) {
  const { store, state, lab, tip } = view;
  const canvas = element("canvas", { class: "un-time" }),
    picture = document.createElement("canvas");
  const row = element("div", { class: "un-map-row" }),
    cursor = element("div", { class: "un-cursor" });
  const stage = element(
    "div",
    { class: "un-stage un-map", tabindex: 0, role: "slider", "aria-orientation": "vertical", ...KEYS },
    canvas,
    cursor,
    row,
  );
  const first = element("span"),
    chosen = element("span", { class: "un-map-unit" }),
    last = element("span");
  const names = element("div", { class: "un-names un-map-names" }, first, chosen, last);
  const picker = element("select", { ...KEYS, on: { change: () => store.set({ order: picker.value }) } });
  const caption = element("span"),
    words = element("span", { class: "un-soft" }),
    best = element("span", { class: "un-best" });
  const panel = element(
    "figure",
    { class: "un-figure" },
    element("figcaption", { class: "un-row" }, caption, labelled("sort units by", picker)),
    element("div", { class: "un-ranking" }, words, best),
    element("div", { class: "un-lanes" }, names, stage, element("div", { class: "un-values" })),
  );
  let ranking = { units: [], say: () => "" },
    height = 200,
    orderFor = null;

  const place = (event) => {
    const [x, y] = pointerShare(event, stage);
    return {
      time: Math.floor(x * lab.ids.length),
      unit: ranking.units[Math.floor(y * ranking.units.length)],
    };
  };
  watchPointer(stage, {
    onMove: (event) => store.set(place(event)),
    onHover: (event) => tip.show(event, event ? hover(place(event)) : ""),
  });
  listenKeys(stage, view.travelKeys);

  const score = (unit) => (ranking.say(unit) ? ` · ${ranking.say(unit)}` : "");
  const hover = ({ time, unit }) =>
    `unit ${unit}${score(unit)} · step ${time + 1}, ${spoken(lab.read[time])}: ${state.colour} ` +
    number(lab.now.layers[state.layer][state.colour][time * lab.network.hidden + unit]);

  function sort() {
    ranking = rank(
      state.order,
      view.scores,
      state.layer,
      lab.now.layers[state.layer][state.colour],
      state.colour,
      lab.network.hidden,
      state.shown,
    );
    view.ranking = ranking;
    write(words, `${ranking.words}${ranking.say(0) ? ":" : "."}`);
    const top = ranking.say(0) ? ranking.units.slice(0, 5) : [];
    best.replaceChildren(
      ...top.map((unit) =>
        element(
          "button",
          {
            type: "button",
            text: `${unit} `,
            title: `choose unit ${unit}, ${ranking.say(unit)}`,
            on: { click: () => store.set({ unit }) },
            ...KEYS,
          },
          element("small", { text: ranking.brief(unit) }),
        ),
      ),
    );
  }

  /** One pixel a value, made once and then only stretched. */
  function develop() {
    const { hidden } = lab.network,
      steps = lab.ids.length,
      signal = lab.now.layers[state.layer][state.colour];
    picture.width = steps;
    picture.height = hidden;
    const image = new ImageData(steps, hidden);
    ranking.units.forEach((unit, y) => {
      for (let t = 0, p = y * steps * 4; t < steps; t++, p += 4) {
        const rgb = shade(state.colour, signal[t * hidden + unit]);
        image.data[p] = rgb[0];
        image.data[p + 1] = rgb[1];
        image.data[p + 2] = rgb[2];
        image.data[p + 3] = 255;
      }
    });
    picture.getContext("2d").putImageData(image, 0, 0);
  }

  function paint() {
    height = stage.clientWidth < 340 ? 240 : 312;
    stage.style.height = `${height}px`;
    const context = clearCanvas(canvas, stage.clientWidth, height);
    context.imageSmoothingEnabled = false;
    context.drawImage(picture, 0, 0, stage.clientWidth, height);
    cursor.style.width = `${Math.max(3, stage.clientWidth / lab.ids.length)}px`;
    const layer = lab.network.depth > 1 ? ` of layer ${state.layer + 1}` : "";
    write(caption, `All ${lab.network.hidden} units${layer}, ${LONG[state.colour]}: choose a row`);
    write(first, state.order === "index" ? "unit 0" : `first: ${ranking.units[0]}`);
    write(last, state.order === "index" ? `unit ${lab.network.hidden - 1}` : `last: ${ranking.units.at(-1)}`);
  }

  function move() {
    const position = ranking.units.indexOf(state.unit),
      tall = height / ranking.units.length;
    cursor.style.transform = `translateX(${(state.time * stage.clientWidth) / lab.ids.length}px)`;
    row.style.transform = `translateY(${position * tall}px)`;
    row.style.height = `${Math.max(3, tall)}px`;
    const y = clip(position * tall + tall / 2, 22, height - 22);
    chosen.style.transform = `translateY(${Math.round(y - 8)}px)`;
    write(chosen, `▸ unit ${state.unit}`);
    for (const [name, value] of [
      ["valuemin", 0],
      ["valuemax", ranking.units.length - 1],
      ["valuenow", position],
    ])
      stage.setAttribute(`aria-${name}`, value);
    stage.setAttribute(
      "aria-label",
      "map of all units: up and down choose a unit, left and right move in time",
    );
    stage.setAttribute("aria-valuetext", hover({ time: state.time, unit: state.unit }));
    for (const choice of best.children)
      choice.setAttribute("aria-pressed", String(choice.textContent.startsWith(`${state.unit} `)));
  }

  return {
    element: panel,
    update(changed) {
      const key = `${state.layer} ${state.shown}`;
      if (orderFor !== key)
        setOptions(picker, orderEntries(view.scores, state.layer, state.shown), state.order);
      orderFor = key;
      chooseOrder(picker, state.order);
      const remake = view.any(changed, ["read", "now", "layer", "colour", "order"]);
      if (remake) {
        sort();
        develop();
      }
      if (remake || view.any(changed, ["width", "theme"])) paint();
      if (remake || view.any(changed, ["width", "time", "unit"])) move();
    },
  };
}
