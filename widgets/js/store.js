/**
 * The state of one view: what the widget's traits say plus what only this view knows.
 * Every change goes to the other views at once (through the shared model) and to the kernel once things are calm.
 */

const CALM_MS = 250;
const same = (a, b) => a === b || (typeof a === "object" && JSON.stringify(a) === JSON.stringify(b));

/**
 * @param {object} model anywidget's model, or the page's stand-in
 * @param {string[]} shared names of traits that are state
 * @param {object} local initial state that stays in this view
 */
export function createStore(model, shared, local = {}) {
  const state = { ...local };
  for (const name of shared) state[name] = model.get(name);
  const listeners = [],
    undoable = [];
  let calm = null,
    frame = null;
  const dirty = new Set();

  function flush() {
    frame = null;
    const changed = new Set(dirty);
    dirty.clear();
    for (const listener of listeners) listener(changed);
  }

  function apply(patch) {
    const changed = Object.keys(patch).filter((name) => !same(state[name], patch[name]));
    for (const name of changed) {
      state[name] = patch[name];
      dirty.add(name);
    }
    if (changed.length) frame ??= requestAnimationFrame(flush);
    return changed;
  }

  function save() {
    clearTimeout(calm);
    if (calm !== null) model.save_changes();
    calm = null;
  }

  const handlers = shared.map((name) => [`change:${name}`, () => apply({ [name]: model.get(name) })]);
  for (const [event, handler] of handlers) model.on(event, handler);

  return {
    state,
    /** Change state; views draw in the next frame, the kernel hears a quarter of a second after the last change. */
    set(patch) {
      const changed = apply(patch).filter((name) => shared.includes(name));
      for (const name of changed) model.set(name, state[name]);
      if (!changed.length) return;
      clearTimeout(calm);
      calm = setTimeout(save, CALM_MS);
    },
    /** Mark something as changed that is not state (size, theme). */
    touch(name) {
      dirty.add(name);
      frame ??= requestAnimationFrame(flush);
    },
    listen: (listener) => listeners.push(listener),
    /** Remember these values, unless nothing but the last gesture went on. */
    remember(names, gesture) {
      const last = undoable.at(-1);
      if (gesture && last?.gesture === gesture && Date.now() - last.when < 800)
        return void (last.when = Date.now());
      undoable.push({
        values: Object.fromEntries(names.map((name) => [name, state[name]])),
        gesture,
        when: Date.now(),
      });
      if (undoable.length > 100) undoable.shift();
      this.touch("history");
    },
    undo() {
      const last = undoable.pop();
      if (last) this.set(last.values);
      this.touch("history");
      return Boolean(last);
    },
    undoSteps: () => undoable.length,
    stop() {
      save();
      if (frame !== null) cancelAnimationFrame(frame);
      for (const [event, handler] of handlers) model.off(event, handler);
    },
  };
}
