/** Where the nodes of a tree stand: every open leaf a column, every parent over the middle of its children. */

/** Children of each node, from the numbers of the parents (a parent comes before its children). */
export function childrenOf(nodes) {
  const children = nodes.map(() => []);
  nodes.forEach(({ p }, k) => p >= 0 && children[p].push(k));
  return children;
}

/** All nodes below one, in order. */
export function underneath(children, node) {
  return children[node].flatMap((child) => [child, ...underneath(children, child)]);
}

/**
 * Columns and rows of the nodes that are not inside a closed one.
 * @returns {{places: Map<number, {column: number, row: number}>, columns: number, rows: number}}
 */
export function layOut(nodes, closed) {
  const children = childrenOf(nodes),
    shut = new Set(closed),
    places = new Map();
  let columns = 0,
    rows = 0;
  const visit = (node, row) => {
    rows = Math.max(rows, row + 1);
    const place = { column: 0, row };
    places.set(node, place);
    const open = shut.has(node) ? [] : children[node];
    if (!open.length) return (place.column = columns++);
    const found = open.map((child) => visit(child, row + 1));
    return (place.column = (found[0] + found.at(-1)) / 2);
  };
  if (nodes.length) visit(0, 0);
  return { places, columns, rows };
}

/** Which nodes to close at first, the deepest rows first, so that at most `most` leaves are open. */
export function closedAtFirst(nodes, most) {
  const children = childrenOf(nodes),
    depth = nodes.map(() => 0);
  nodes.forEach(({ p }, k) => p >= 0 && (depth[k] = depth[p] + 1));
  let closed = [];
  for (let row = Math.max(...depth); row > 0 && layOut(nodes, closed).columns > most; row--)
    closed = nodes.flatMap((_, k) => (depth[k] === row - 1 && children[k].length ? [k] : []));
  return closed;
}

/** The nearest open node: where the selection goes when its own node is hidden. */
export function nearestOpen(nodes, places, node) {
  let at = node < nodes.length ? node : 0;
  while (!places.has(at)) at = nodes[at].p;
  return at;
}
