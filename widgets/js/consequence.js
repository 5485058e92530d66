/** The consequence: what the network expects next, now and as learnt, and what really follows. */
import { element, glyph, percent, write } from "./dom.js";
import { prediction } from "./experiment.js";

const ROWS = 8;

export function createConsequence(view) {
  const { state, lab, tip } = view;
  const caption = element("figcaption");
  const rows = Array.from({ length: ROWS + 1 }, (_, k) => createRow(tip, k === ROWS));
  const table = element("div", { class: "un-dist", role: "img" }, ...rows.map((row) => row.element));
  const panel = element("figure", { class: "un-figure" }, caption, table);

  function paint() {
    const { vocabulary } = lab.network,
      now = prediction(lab, lab.now, state.time);
    const learnt = lab.edits.length ? prediction(lab, lab.learnt, state.time) : null;
    const top = [...now.keys()].sort((a, b) => now[b] - now[a]).slice(0, ROWS);
    const next = lab.ids[state.time + 1];
    rows.forEach((row, k) => {
      const id = k < ROWS ? top[k] : next;
      row.show(
        id === undefined
          ? null
          : { character: vocabulary[id], now: now[id], learnt: learnt?.[id], follows: id === next },
      );
    });
    write(
      caption,
      learnt
        ? "Next character: now (bar), as learnt (line); green follows"
        : "Next character, probability; green follows in the text",
    );
    const words = top.map((id) => `${glyph(vocabulary[id])} ${percent(now[id])}`).join(", ");
    table.setAttribute(
      "aria-label",
      `Most probable next: ${words}.${next === undefined ? "" : ` What follows in the text: ${glyph(vocabulary[next])}, ${percent(now[next])}.`}`,
    );
  }

  return {
    element: panel,
    update(changed) {
      if (view.any(changed, ["read", "now", "time"])) paint();
    },
  };
}

/** One line; bars share the scale 0...100 %, so that nothing rescales from step to step. */
function createRow(tip, isLast) {
  const character = element("span", { class: "un-dist-character" }),
    bar = element("i"),
    line = element("u");
  const value = element("span", { class: "un-dist-value" });
  const row = element(
    "div",
    { class: isLast ? "un-dist-row last" : "un-dist-row" },
    character,
    element("span", { class: "un-dist-bar" }, bar, line),
    value,
  );
  let said = "";
  row.addEventListener("pointermove", (event) => tip.show(event, said));
  row.addEventListener("pointerleave", () => tip.show(null));
  return {
    element: row,
    show(entry) {
      row.classList.toggle("follows", Boolean(entry?.follows));
      write(character, entry ? glyph(entry.character) : "");
      write(value, entry ? percent(entry.now) : isLast ? "end of text" : "");
      bar.style.width = `${100 * (entry?.now ?? 0)}%`;
      line.hidden = entry?.learnt === undefined;
      line.style.left = `${100 * (entry?.learnt ?? 0)}%`;
      said = entry
        ? `${glyph(entry.character)}: now ${percent(entry.now)}${entry.learnt === undefined ? "" : `, as learnt ${percent(entry.learnt)}`}${entry.follows ? "; it is what follows in the text" : ""}`
        : "the text ends here";
    },
  };
}
