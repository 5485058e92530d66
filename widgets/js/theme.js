/** Light or dark: an explicit choice first, then JupyterLab's theme, then the system's. Colours: widgets/theme.py. */

const dark = () => globalThis.matchMedia?.("(prefers-color-scheme: dark)");

function resolve(choice) {
  if (choice !== "auto") return choice;
  const lab = document.body.dataset.jpThemeLight;
  if (lab !== undefined) return lab === "false" ? "dark" : "light";
  return dark()?.matches ? "dark" : "light";
}

/**
 * Keep the root's class `light` or `dark` right; calls `onChange` after every change.
 * @returns {{choose(choice: string): void, current(): string, token(name: string): string, stop(): void}}
 */
export function followTheme(root, choice, onChange) {
  let tokens = new Map(),
    now = null;
  const apply = () => {
    const next = resolve(choice);
    if (now === next) return;
    now = next;
    root.classList.toggle("light", now === "light");
    root.classList.toggle("dark", now === "dark");
    tokens = new Map();
    onChange();
  };
  const observer = new MutationObserver(apply);
  observer.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
  dark()?.addEventListener("change", apply);
  apply();
  return {
    choose(next) {
      choice = next;
      apply();
    },
    current: () => now,
    token(name) {
      if (!tokens.get(name)) tokens.set(name, getComputedStyle(root).getPropertyValue(name).trim());
      return tokens.get(name);
    },
    stop() {
      observer.disconnect();
      dark()?.removeEventListener("change", apply);
    },
  };
}

export const stillness = () => Boolean(globalThis.matchMedia?.("(prefers-reduced-motion: reduce)")?.matches);
