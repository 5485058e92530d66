/** The tree as SVG: a box a node with its symbol, its answer and its state, one stripe a unit. */
import { css, shade } from "./colour.js";
import { KEYS, drawing, listenKeys } from "./dom.js";
import { childrenOf, layOut, nearestOpen, underneath } from "./tree_layout.js";

const ROW = 84,
  BOX = 50,
  GAP = 10,
  PACE = 0.28; // seconds from one row to the next when a change travels up
export const CHANGED = 1e-4;

export const hasMoved = (node) => node.m === null || node.m > CHANGED;

/** How wide a box must be for the symbols and answers of some nodes. */
export function boxWidth(nodes) {
  const longest = Math.max(0, ...nodes.map((node) => Math.max(node.s.length, answerText(node).length)));
  return Math.max(46, Math.min(118, 7.4 * longest + 12));
}

/** How many boxes of these nodes stand side by side in so many pixels. */
export const roomFor = (nodes, pixels) => Math.max(6, Math.floor(pixels / (boxWidth(nodes) + GAP)));

const answerText = (node) => (node.a ? (node.r && node.r !== node.a ? `${node.a} ≠ ${node.r}` : node.a) : "");

/** What a screen reader says of a node, and what its tooltip shows. */
export function spokenNode(tree, k) {
  const node = tree.nodes[k],
    right = node.r ? (node.r === node.a ? ", right" : `, right is ${node.r}`) : "",
    answer = node.a ? `: ${node.a}, ${Math.round(100 * node.c)} %${right}` : "";
  return `${node.t}${answer}${tree.edited && hasMoved(node) ? ", changed" : ""}`;
}

/** @param view {store, state, choose(node), toggle(node), tree()} */
export function createTreeDrawing(view) {
  const svg = drawing("svg", { class: "un-tree-svg", role: "tree", "aria-label": "tree", ...KEYS });
  const { state } = view;
  let boxes = new Map(),
    drawn = null;

  listenKeys(svg, {
    ArrowUp: () => view.choose(Math.max(0, view.tree().nodes[state.node].p)),
    ArrowDown: () => view.choose(open(state.node)[0] ?? state.node),
    ArrowLeft: () => beside(-1),
    ArrowRight: () => beside(1),
    Home: () => view.choose(0),
    Enter: () => view.toggle(state.node),
    " ": () => view.toggle(state.node),
  });

  const open = (node) => (state.closed.includes(node) ? [] : childrenOf(view.tree().nodes)[node]);

  /** The next node of the same row, cousins too. */
  function beside(step) {
    const { places } = drawn,
      row = places.get(state.node).row;
    const inRow = [...places.keys()].filter((node) => places.get(node).row === row);
    view.choose(inRow[inRow.indexOf(state.node) + step] ?? state.node);
  }

  function box(tree, k, place, width, lowest) {
    const node = tree.nodes[k],
      hidden = state.closed.includes(k) ? underneath(childrenOf(tree.nodes), k).length : 0,
      moved = tree.edited && hasMoved(node),
      x = place.column * (width + GAP),
      y = place.row * ROW;
    const stripes = node.h.map((value, unit) =>
      drawing("rect", {
        x: 3 + (unit * (width - 6)) / node.h.length,
        y: BOX - 11,
        width: (width - 6) / node.h.length + 0.3,
        height: 8,
        fill: css(shade("h", value)),
      }),
    );
    const answerClass = node.r ? (node.r === node.a ? "un-tree-right" : "un-tree-wrong") : "un-tree-plain";
    return drawing(
      "g",
      {
        class: `un-tree-node ${moved ? "un-tree-moved" : ""}`,
        style: { "animation-delay": `${PACE * Math.max(0, lowest - place.row)}s` },
        transform: `translate(${x + GAP / 2} ${y + 6})`,
        role: "treeitem",
        tabindex: -1,
        "data-node": k,
        "aria-level": place.row + 1,
        "aria-expanded": childrenOf(tree.nodes)[k].length ? String(!hidden) : null,
        "aria-label": spokenNode(tree, k),
        on: { click: () => view.choose(k), dblclick: () => view.toggle(k) },
        ...KEYS,
      },
      drawing("title", { text: spokenNode(tree, k) }),
      drawing("rect", { class: "un-tree-box", width, height: BOX, rx: 6 }),
      drawing("text", { class: "un-tree-symbol", x: width / 2, y: 16, text: node.s || "·" }),
      drawing("text", { class: answerClass, x: width / 2, y: 32, text: answerText(node) }),
      drawing("g", { "aria-hidden": "true" }, ...stripes),
      ...(hidden
        ? [drawing("text", { class: "un-tree-more", x: width / 2, y: BOX + 14, text: `+ ${hidden}` })]
        : []),
    );
  }

  function wire(tree, k, width, lowest) {
    const { places } = drawn,
      parent = places.get(tree.nodes[k].p),
      own = places.get(k),
      middle = (place) => place.column * (width + GAP) + (width + GAP) / 2;
    const moved = tree.edited && hasMoved(tree.nodes[k]) && hasMoved(tree.nodes[tree.nodes[k].p]);
    const [x1, y1, x2, y2] = [middle(own), own.row * ROW + 6, middle(parent), parent.row * ROW + BOX + 6];
    return drawing("path", {
      class: `un-tree-wire ${moved ? "un-tree-moved" : ""}`,
      style: { "animation-delay": `${PACE * Math.max(0, lowest - own.row + 0.5)}s` },
      d: `M ${x1} ${y1} C ${x1} ${y1 - 14} ${x2} ${y2 + 14} ${x2} ${y2}`,
    });
  }

  function redraw() {
    const tree = view.tree(),
      had = svg.contains(document.activeElement);
    drawn = layOut(tree.nodes, state.closed);
    const { places, columns, rows } = drawn;
    const shown = [...places.keys()],
      width = boxWidth(shown.map((k) => tree.nodes[k])),
      lowest = Math.max(0, ...shown.filter((k) => hasMoved(tree.nodes[k])).map((k) => places.get(k).row));
    const [w, h] = [Math.max(1, columns) * (width + GAP), rows * ROW - ROW + BOX + 26];
    svg.setAttribute("viewBox", `0 0 ${w} ${h}`);
    svg.setAttribute("width", w);
    svg.setAttribute("height", h);
    boxes = new Map(shown.map((k) => [k, box(tree, k, places.get(k), width, lowest)]));
    const wires = shown.filter((k) => k > 0).map((k) => wire(tree, k, width, lowest));
    svg.replaceChildren(drawing("g", { "aria-hidden": "true" }, ...wires), ...boxes.values());
    mark(had);
  }

  function mark(focus) {
    const node = nearestOpen(view.tree().nodes, drawn.places, state.node);
    if (node !== state.node) view.store.set({ node });
    for (const [k, one] of boxes) {
      one.setAttribute("tabindex", k === node ? 0 : -1);
      one.setAttribute("aria-selected", String(k === node));
    }
    if (focus) boxes.get(node)?.focus({ preventScroll: false });
  }

  return {
    element: svg,
    update(changed) {
      if (changed.has("_tree") || changed.has("closed") || changed.has("start")) redraw();
      else if (changed.has("node")) mark(svg.contains(document.activeElement));
    },
  };
}
