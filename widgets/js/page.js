// Stands in for the kernel's side of a widget in a page: the same get, set, on, off and save_changes, over the
// state that the page carries. `pagedModule` is the widget's module; widgets/page.py puts it in front.
const revive = (key, value) => {
  if (value === null || typeof value !== "object" || typeof value.$base64 !== "string") return value;
  return new DataView(Uint8Array.from(atob(value.$base64), (character) => character.charCodeAt(0)).buffer);
};
const traits = JSON.parse(document.getElementById("state").textContent, revive);
const listeners = new Map();
const model = {
  get: (name) => traits[name],
  set(name, value) {
    if (JSON.stringify(traits[name]) === JSON.stringify(value)) return;
    traits[name] = value;
    for (const listener of [...(listeners.get(`change:${name}`) ?? [])]) listener(model, value);
  },
  on: (event, listener) => void listeners.set(event, [...(listeners.get(event) ?? []), listener]),
  off: (event, listener) =>
    void listeners.set(
      event,
      (listeners.get(event) ?? []).filter((one) => one !== listener),
    ),
  save_changes() {},
  send() {},
};

const choice = document.getElementById("theme"),
  wantsDark = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (traits.theme === "dark" ? true : traits.theme === "light" ? false : wantsDark.matches);
const paintPage = () => {
  document.documentElement.classList.toggle("dark", isDark());
  choice.textContent = isDark() ? "light theme" : "dark theme";
};
choice.addEventListener("click", () => {
  model.set("theme", isDark() ? "light" : "dark");
  paintPage();
});
wantsDark.addEventListener("change", paintPage);
paintPage();
pagedModule.render({ model, el: document.getElementById("widget") });
