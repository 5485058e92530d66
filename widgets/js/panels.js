/** What views that are made of panels share: show them, keep them current, clean up. */

/**
 * Make each panel, put it into the view's root, and tell it what has changed, the view's width included.
 * `before(changed)` runs ahead of the panels. Returns what cleans up.
 */
export function showPanels(view, theme, makers, before = () => {}) {
  const { root, store, state } = view;
  const panels = makers.map((make) => make(view));
  root.append(...panels.map((panel) => panel.element));
  store.listen((changed) => {
    if (changed.has("theme")) theme.choose(state.theme);
    before(changed);
    for (const panel of panels) panel.update(changed);
  });
  const resized = new ResizeObserver(() => store.touch("size"));
  resized.observe(root);
  store.touch("start");
  return () => {
    for (const panel of panels) panel.stop?.();
    resized.disconnect();
    theme.stop();
    store.stop();
    root.remove();
  };
}
