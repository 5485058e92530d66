// Stands in for the kernel's side of a widget in a page: the same get, set, on, off and save_changes, over the
// state that the page carries. `pagedModule` is the widget's module; widgets/page.py puts it in front.
const revive = (key, value) => {
  if (value === null || typeof value !== "object" || typeof value.$base64 !== "string") return value;
  return new DataView(Uint8Array.from(atob(value.$base64), (character) => character.charCodeAt(0)).buffer);
};
const traits = JSON.parse(document.getElementById("state").textContent, revive);
const listeners = new Map();
const tell = (name) => [...(listeners.get(`change:${name}`) ?? [])].forEach((listener) => listener(model, traits[name]));
const same = (a, b) => a === b || JSON.stringify(a) === JSON.stringify(b);
const model = {
  alone: true, // no kernel will ever answer
  get: (name) => traits[name],
  set(name, value) {
    if (same(traits[name], value)) return;
    traits[name] = value;
    tell(name);
  },
  on: (event, listener) => void listeners.set(event, [...(listeners.get(event) ?? []), listener]),
  off: (event, listener) =>
    void listeners.set(
      event,
      (listeners.get(event) ?? []).filter((one) => one !== listener),
    ),
  save_changes: answer,
  send() {},
};

// What the kernel answered to some wishes, kept when the page was made. A wish is that its traits have these values.
const { given = [], asks = [], otherwise = "" } = traits.$answers ?? {};
const fits = (wish, value) =>
  wish !== null && typeof wish === "object" && !Array.isArray(wish)
    ? Object.entries(wish).every(([key, one]) => fits(one, value?.[key]))
    : same(wish, value);
const wished = () => JSON.stringify(asks.map((name) => traits[name]));
let answered = wished();

function answer() {
  if (wished() === answered) return;
  const found = given.find(([wish]) => fits(wish, traits));
  for (const [name, value] of Object.entries(found?.[1] ?? { message: otherwise })) model.set(name, value);
  answered = wished();
}

pagedModule.render({ model, el: document.getElementById("widget") });
followFrame(document.getElementById("theme"), (theme) => model.set("theme", theme));
