/** A tree that a recursive network has read: walk through it, close a part, change a symbol, and see what moves. */
import { css, shade } from "./colour.js";
import { KEYS, button, element, labelled, limit, number, setOptions, write } from "./dom.js";
import { createStore } from "./store.js";
import { followTheme } from "./theme.js";
import { createTreeDrawing, roomFor, spokenNode } from "./tree_drawing.js";
import { childrenOf, closedAtFirst, underneath } from "./tree_layout.js";

const TRAITS = ["_tree", "node", "closed", "text", "theme", "message"];
const PATIENCE_MS = 6000,
  MOST = 10_000, // characters of the text box, more than any tree here has
  USUAL_WIDTH = 940, // of a notebook's output, in pixels, before the page has laid it out
  PADDING = 50;
const HELP = [
  "On the tree: up goes to the parent, down to the first child, left and right along the row, Home to the root.",
  "Enter or space closes and opens the part below a node; a double click does so, too.",
  "In the text: Enter reads it.",
];

/** Draw the tree of a model (anywidget's or the page's) into a node; returns what cleans it up. */
function render({ model, el }) {
  const root = element("section", { class: "un un-tree", "aria-label": "tree of a recursive network", ...KEYS });
  el.append(root);
  const store = createStore(model, TRAITS);
  const view = createTreeView(model, root, store);
  const panels = [createTreeText, createTreeEditor, createTreeDrawing, createNodeAccount, createTreeWords].map((create) =>
    create(view),
  );
  const [text, editor, picture, account, words] = panels;
  const title = element("div", { class: "un-title", role: "heading", "aria-level": 2 }),
    sentence = element("p", { class: "un-sentence", role: "status" }),
    message = element("p", { class: "un-message", role: "alert" });
  const keys = element(
    "details",
    { class: "un-soft" },
    element("summary", { text: "Keys", ...KEYS }),
    element("ul", {}, ...HELP.map((line) => element("li", { text: line }))),
  );
  root.append(
    title, sentence, text.element, message, editor.element,
    element("div", { class: "un-tree-frame" }, picture.element), account.element, words.element, keys,
  );
  store.listen((changed) => {
    if (changed.has("theme")) view.theme.choose(store.state.theme);
    if (changed.has("_tree")) view.answered();
    write(message, view.cut || store.state.message || view.waiting);
    write(title, view.tree().title ?? "A tree");
    write(sentence, view.tree().summary ?? "");
    const empty = !view.tree().nodes.length;
    for (const panel of [editor, picture, account, words]) panel.element.hidden = empty;
    if (empty) return void text.update(changed);
    for (const panel of panels) panel.update(changed);
  });
  view.answered();
  for (const name of ["start", "_tree"]) store.touch(name);
  return () => {
    clearTimeout(view.patience);
    view.theme.stop();
    store.stop();
    root.remove();
  };
}

function createTreeView(model, root, store) {
  const { state } = store;
  let asked = 0,
    seen = null;
  const view = {
    root,
    store,
    state,
    waiting: "",
    cut: "",
    theme: followTheme(root, state.theme, () => store.touch("theme")),
    tree: () => (state._tree?.nodes ? state._tree : { nodes: [] }),
    choose: (node) => store.set({ node }),
    toggle(node) {
      if (!childrenOf(view.tree().nodes)[node].length) return;
      const closed = state.closed.includes(node)
        ? state.closed.filter((one) => one !== node)
        : [...state.closed, node];
      store.set({ closed });
    },
    /** Ask the kernel for another tree; say so when none answers. */
    ask(wish) {
      asked += 1;
      model.set("_ask", { ...wish, number: asked + Date.now() });
      model.save_changes();
      clearTimeout(view.patience);
      view.patience = setTimeout(() => {
        view.waiting = "No kernel answers, so the tree stays as it is; run this cell again in a notebook, and it is read.";
        store.touch("message");
      }, PATIENCE_MS);
    },
    /** A tree has come: the parts that were closed stay closed where the tree has the same shape. */
    answered() {
      clearTimeout(view.patience);
      view.waiting = "";
      const { nodes, shape } = view.tree();
      if (shape === seen && seen !== null) return;
      const first = seen === null && state.closed.length > 0;
      seen = shape;
      if (!first) store.set({ closed: closedAtFirst(nodes, roomFor(nodes, (root.clientWidth || USUAL_WIDTH) - PADDING)) });
    },
  };
  return view;
}

function createTreeText(view) {
  const { state } = view;
  const box = element("textarea", {
    rows: 1,
    spellcheck: "false",
    "aria-label": "text to read as a tree",
    ...KEYS,
    on: {
      keydown(event) {
        event.stopPropagation();
        if (event.key !== "Enter" || event.shiftKey) return;
        event.preventDefault();
        read();
      },
    },
  });
  limit(box, MOST, (words) => {
    view.cut = words;
    view.store.touch("message");
  });
  const read = () => view.ask({ act: "text", text: box.value });
  return {
    element: element(
      "div",
      { class: "un-row un-tree-text" },
      labelled("text", box),
      button("read", "read the text as a tree", read),
      button("start again", "start again: back to the first tree", () => view.ask({ act: "reset" })),
    ),
    update(changed) {
      if (!changed.has("text") && !changed.has("start")) return;
      box.value = state.text;
      box.rows = Math.min(4, Math.max(1, state.text.split("\n").length));
    },
  };
}

function createTreeEditor(view) {
  const { state } = view;
  const swap = element("select", {
    ...KEYS,
    on: { change: () => view.ask({ act: "swap", node: state.node, symbol: swap.value }) },
  });
  const swapLabel = labelled("change it to", swap),
    negate = button("flip not", "put a not over this node, or take it away", () =>
      view.ask({ act: "negate", node: state.node }),
    ),
    fold = button("close", "close or open the part below this node", () => view.toggle(state.node)),
    chosen = element("span", { class: "un-tree-chosen" });
  return {
    element: element("div", { class: "un-row" }, chosen, swapLabel, negate, fold),
    update() {
      const { nodes, groups, negation } = view.tree(),
        node = nodes[state.node] ?? nodes[0],
        leaf = !childrenOf(nodes)[state.node]?.length;
      write(chosen, `chosen: ${node.s || "a joint"}`);
      const options = groups?.[node.k] ?? [];
      swapLabel.hidden = options.length < 2;
      if (options.length > 1) setOptions(swap, options.map((symbol) => [symbol, symbol]), node.s);
      negate.hidden = !negation || node.s === "?";
      fold.disabled = leaf;
      write(fold, state.closed.includes(state.node) ? "open" : "close");
    },
  };
}

/** The chosen node in words and numbers: text, state, answers, and the subtrees with the nearest states. */
function createNodeAccount(view) {
  const words = element("p"),
    strip = element("div", { class: "un-tree-state", role: "img" }),
    chances = element("ul", { class: "un-tree-chances" }),
    near = element("ol", { class: "un-tree-near" });
  const nearTitle = element("p", { class: "un-soft", text: "subtrees of the held-out trees with the nearest states" });
  return {
    element: element(
      "div",
      { class: "un-tree-account" },
      element("div", {}, words, strip, chances),
      element("div", {}, nearTitle, near),
    ),
    update() {
      const tree = view.tree(),
        k = view.state.node,
        node = tree.nodes[k] ?? tree.nodes[0];
      write(words, spokenNode(tree, Math.min(k, tree.nodes.length - 1)));
      strip.setAttribute("aria-label", `state h of ${node.h.length} units: ${node.h.map((v) => number(v, 1)).join(" ")}`);
      strip.replaceChildren(
        ...node.h.map((value, unit) =>
          element("span", { title: `unit ${unit}: ${number(value)}`, style: { background: css(shade("h", value)) } }),
        ),
      );
      chances.replaceChildren(
        ...(node.b ?? []).map(([label, chance]) =>
          element(
            "li",
            {},
            element("span", { class: "un-tree-label", text: label }),
            element("span", { class: "un-tree-bar", style: { width: `${Math.round(140 * chance)}px` } }),
            element("span", { class: "un-soft", text: ` ${Math.round(100 * chance)} %` }),
          ),
        ),
      );
      nearTitle.hidden = !node.n.length;
      near.replaceChildren(
        ...node.n.map(([text, answer, distance]) =>
          element(
            "li",
            {},
            element("code", { text }),
            element("span", { class: "un-soft", text: `${answer ? ` ${answer},` : ""} ${number(distance)} away` }),
          ),
        ),
      );
    },
  };
}

/** The whole tree as nested lists. */
function createTreeWords(view) {
  const list = element("ul");
  const details = element(
    "details",
    { class: "un-soft", on: { toggle: () => view.store.touch("words") } },
    element("summary", { text: "In words", ...KEYS }),
    list,
  );
  return {
    element: details,
    update() {
      if (!details.open) return;
      const tree = view.tree(),
        children = childrenOf(tree.nodes);
      const item = (k) => {
        const below = children[k].map(item);
        return element("li", { text: spokenNode(tree, k) }, ...(below.length ? [element("ul", {}, ...below)] : []));
      };
      list.replaceChildren(item(0), element("li", { text: `${underneath(children, 0).length} nodes below the root` }));
    },
  };
}

export default { render };
