/**
 * One LSTM cell in four drawings: after Olah (2015), after Greff et al. (2017, figure 1), and with the blocks of the
 * weights in the order of Keras (i f c o) and of PyTorch (i f g o). The parts, their values and what they mean are
 * those of cell_parts.js; a drawing gives them its own letters, equations and places.
 */
import { PARTS } from "./cell_parts.js";

const SQUASH = { f: "σ", i: "σ", g: "tanh", o: "σ" };

/** Where the letters come from, what multiplies, in which order the gates stand, and how a gate is written. */
const STYLES = {
  olah: {
    title: "Olah",
    source: "after Olah 2015, Understanding LSTM Networks",
    order: ["f", "i", "g", "o"],
    times: "∗",
    names: { x: "xₜ", h0: "hₜ₋₁", c0: "Cₜ₋₁", f: "fₜ", i: "iₜ", g: "C̃ₜ", o: "oₜ", c: "Cₜ", h: "hₜ" },
    weights: (id) => `W_${id === "g" ? "C" : id}·[{h0|hₜ₋₁}, {x|xₜ}] + b_${id === "g" ? "C" : id}`,
    where: (id, unit) => `row ${unit} of W_${id === "g" ? "C" : id}: first the columns of h, then those of x`,
  },
  greff: {
    title: "Greff",
    source: "after Greff et al. 2017, figure 1 and section II",
    order: ["g", "i", "f", "o"],
    times: "⊙",
    names: { x: "xᵗ", h0: "yᵗ⁻¹", c0: "cᵗ⁻¹", f: "fᵗ", i: "iᵗ", g: "zᵗ", o: "oᵗ", c: "cᵗ", h: "yᵗ" },
    weights(id) {
      const peephole = id === "g" ? "" : ` + p_${id} ⊙ ${id === "o" ? "cᵗ" : "cᵗ⁻¹"}`;
      const letter = id === "g" ? "z" : id;
      return `W_${letter} {x|xᵗ} + R_${letter} {h0|yᵗ⁻¹}${peephole} + b_${letter}`;
    },
    where(id, unit) {
      const letter = id === "g" ? "z" : id;
      return `row ${unit} of W_${letter} and R_${letter}${id === "g" ? "" : "; this network has no peepholes, p = 0"}`;
    },
  },
  keras: {
    title: "Keras: i f c o",
    source: "in the order of Keras's weights",
    order: ["i", "f", "g", "o"],
    times: "*",
    names: { x: "x", h0: "h_tm1", c0: "c_tm1", f: "f", i: "i", g: "c̃", o: "o", c: "c", h: "h" },
    weights(id) {
      const block = id === "g" ? "c" : id;
      return `{x}·kernel_${block} + {h0|h_tm1}·recurrent_kernel_${block} + bias_${block}`;
    },
    where: (id, unit, hidden) =>
      `column ${STYLES.keras.order.indexOf(id) * hidden + unit} of kernel and recurrent_kernel`,
  },
  torch: {
    title: "PyTorch: i f g o",
    source: "in the order of PyTorch's weights",
    order: ["i", "f", "g", "o"],
    times: "⊙",
    names: { x: "xₜ", h0: "hₜ₋₁", c0: "cₜ₋₁", f: "fₜ", i: "iₜ", g: "gₜ", o: "oₜ", c: "cₜ", h: "hₜ" },
    weights: (id) => `W_i${id} {x|xₜ} + b_i${id} + W_h${id} {h0|hₜ₋₁} + b_h${id}`,
    where: (id, unit, hidden, layer) =>
      `row ${STYLES.torch.order.indexOf(id) * hidden + unit} of weight_ih_l${layer} and weight_hh_l${layer}`,
  },
};

/** Places in a box of 640 × 330. lines: [part, path, colour]; over: wires that cross others; boxes: [gate, x, y]. */
const PLANS = {
  olah: {
    frame: [60, 30, 500, 262],
    quiet: ["M90 270H420", "M150 270V222M240 270V222M330 270V222M420 270V222", "M580 270V16"],
    lines: [
      ["h0", "M20 270H90", "--soft"],
      ["x", "M90 320V270", "--soft"],
      ["c0", "M20 70H138", "--ink"],
      ["keep", "M162 70H318", "--ink"],
      ["c", "M342 70H620", "--ink"],
      ["f", "M150 190V82", "--f"],
      ["i", "M240 190V140H318", "--i"],
      ["g", "M330 190V152", "--g"],
      ["write", "M330 128V82", "--ink"],
      ["squash", "M510 70V94M510 116V138", "--ink"],
      ["o", "M420 190V150H498", "--o"],
      ["h", "M510 162V270H620", "--ink"],
    ],
    operations: [
      ["keep", 150, 70, "×"],
      ["c", 330, 70, "+"],
      ["write", 330, 140, "×"],
      ["h", 510, 150, "×"],
    ],
    pills: [["squash", 510, 105, 46, "tanh"]],
    boxes: [
      ["f", 150, 206],
      ["i", 240, 206],
      ["g", 330, 206],
      ["o", 420, 206],
    ],
    labels: [
      ["c0", 14, 58, "start"],
      ["h0", 14, 258, "start"],
      ["x", 98, 310, "start"],
      ["f", 142, 180, "end"],
      ["i", 232, 180, "end"],
      ["g", 322, 180, "end"],
      ["o", 412, 180, "end"],
      ["c", 626, 58, "end"],
      ["h", 626, 258, "end"],
    ],
    values: [
      ["x", 130, 310, "start"],
      ["c0", 14, 90, "start"],
      ["keep", 240, 60, "middle"],
      ["write", 340, 108, "start"],
      ["squash", 502, 132, "end"],
      ["h0", 14, 290, "start"],
      ["c", 626, 90, "end"],
      ["h", 626, 290, "end"],
    ],
    notes: [],
  },
  greff: {
    frame: [84, 30, 510, 262],
    quiet: ["M74 208H114M74 222H114", "M74 51H114M74 65H114", "M612 143H556M612 157H556"],
    dashed: ["M311 159L168 204", "M312 140L168 70", "M420 118Q470 92 516 136"],
    lines: [
      ["x", "M308 322V292", "--soft"],
      ["h0", "M332 322V292", "--soft"],
      ["g", "M320 260V227", "--g"],
      ["i", "M166 215H308", "--i"],
      ["write", "M320 203V162", "--ink"],
      ["c0", "M320 126H420V138", "--ink"],
      ["keep", "M408 150H332", "--ink"],
      ["f", "M504 150H432", "--f"],
      ["c", "M320 138V109", "--ink"],
      ["squash", "M320 87V70", "--ink"],
      ["o", "M166 58H308", "--o"],
      ["h", "M320 46V8", "--ink"],
    ],
    operations: [
      ["write", 320, 215, "×"],
      ["c", 320, 150, "+"],
      ["keep", 420, 150, "×"],
      ["h", 320, 58, "×"],
    ],
    pills: [["squash", 320, 98, 46, "tanh"]],
    boxes: [
      ["g", 320, 276],
      ["i", 140, 215],
      ["f", 530, 150],
      ["o", 140, 58],
    ],
    labels: [
      ["x", 302, 318, "end"],
      ["h0", 340, 318, "start"],
      ["g", 352, 281, "start"],
      ["i", 140, 247, "middle"],
      ["f", 530, 182, "middle"],
      ["o", 140, 90, "middle"],
      ["c0", 428, 128, "start"],
      ["c", 286, 150, "end"],
      ["h", 330, 18, "start"],
    ],
    values: [
      ["x", 276, 318, "end"],
      ["c", 286, 165, "end"],
      ["c0", 372, 119, "middle"],
      ["keep", 370, 168, "middle"],
      ["write", 330, 188, "start"],
      ["squash", 348, 84, "start"],
      ["h0", 398, 318, "start"],
      ["h", 372, 18, "start"],
    ],
    notes: [
      [2, 219, "start", "xᵗ, yᵗ⁻¹"],
      [2, 62, "start", "xᵗ, yᵗ⁻¹"],
      [634, 136, "end", "xᵗ, yᵗ⁻¹"],
      [566, 112, "middle", "- - peepholes"],
    ],
  },
  keras: {
    frame: [96, 20, 112, 296],
    quiet: ["M96 94H208M96 168H208M96 242H208", "M208 57H236M208 131H236M208 205H236M208 279H236"],
    lines: [
      ["x", "M14 110H96", "--soft"],
      ["h0", "M14 220H96", "--soft"],
      ["c0", "M372 12V119", "--ink"],
      ["f", "M288 131H360", "--f"],
      ["keep", "M384 131H488", "--ink"],
      ["g", "M288 205H428", "--g"],
      ["i", "M288 57H440V193", "--i"],
      ["write", "M452 205H500V143", "--ink"],
      ["c", "M512 131H626", "--ink"],
      ["squash", "M556 131V184M556 206V267", "--ink"],
      ["o", "M288 279H544", "--o"],
      ["h", "M568 279H626", "--ink"],
    ],
    over: ["i"],
    operations: [
      ["keep", 372, 131, "×"],
      ["write", 440, 205, "×"],
      ["c", 500, 131, "+"],
      ["h", 556, 279, "×"],
    ],
    pills: [["squash", 556, 195, 46, "tanh"]],
    boxes: [
      ["i", 262, 57],
      ["f", 262, 131],
      ["g", 262, 205],
      ["o", 262, 279],
    ],
    labels: [
      ["x", 14, 100, "start"],
      ["h0", 14, 210, "start"],
      ["c0", 362, 24, "end"],
      ["i", 262, 36, "middle"],
      ["f", 262, 110, "middle"],
      ["g", 262, 184, "middle"],
      ["o", 262, 258, "middle"],
      ["c", 626, 120, "end"],
      ["h", 626, 268, "end"],
    ],
    values: [
      ["x", 14, 130, "start"],
      ["c0", 362, 42, "end"],
      ["h0", 14, 240, "start"],
      ["keep", 408, 121, "middle"],
      ["write", 508, 180, "start"],
      ["squash", 564, 250, "start"],
      ["c", 626, 151, "end"],
      ["h", 626, 299, "end"],
    ],
    blocks: [152, [57, 131, 205, 279], "vertical"],
    notes: [[152, 14, "middle", "kernel, recurrent_kernel"]],
  },
  torch: {
    frame: [104, 258, 396, 62],
    quiet: [
      "M104 289H500",
      "M203 258V320M302 258V320M401 258V320",
      "M153 258V222M252 258V222M351 258V222M450 258V222",
    ],
    lines: [
      ["x", "M14 273H104", "--soft"],
      ["h0", "M14 305H104", "--soft"],
      ["c0", "M14 64H240", "--ink"],
      ["f", "M252 190V76", "--f"],
      ["keep", "M264 64H339", "--ink"],
      ["i", "M153 190V134H339", "--i"],
      ["g", "M351 190V146", "--g"],
      ["write", "M351 122V76", "--ink"],
      ["c", "M363 64H626", "--ink"],
      ["squash", "M540 64V92M540 114V138", "--ink"],
      ["o", "M450 190V150H528", "--o"],
      ["h", "M540 162V214H626", "--ink"],
    ],
    over: ["i"],
    operations: [
      ["keep", 252, 64, "×"],
      ["write", 351, 134, "×"],
      ["c", 351, 64, "+"],
      ["h", 540, 150, "×"],
    ],
    pills: [["squash", 540, 103, 46, "tanh"]],
    boxes: [
      ["i", 153, 206],
      ["f", 252, 206],
      ["g", 351, 206],
      ["o", 450, 206],
    ],
    labels: [
      ["c0", 14, 52, "start"],
      ["x", 14, 265, "start"],
      ["h0", 14, 298, "start"],
      ["i", 145, 180, "end"],
      ["f", 244, 180, "end"],
      ["g", 343, 180, "end"],
      ["o", 442, 180, "end"],
      ["c", 626, 52, "end"],
      ["h", 626, 202, "end"],
    ],
    values: [
      ["x", 44, 265, "start"],
      ["c0", 14, 84, "start"],
      ["keep", 302, 54, "middle"],
      ["write", 361, 104, "start"],
      ["squash", 532, 132, "end"],
      ["h0", 14, 325, "start"],
      ["c", 626, 84, "end"],
      ["h", 626, 234, "end"],
    ],
    blocks: [[153, 252, 351, 450], 278, "horizontal"],
    notes: [
      [508, 278, "start", "weight_ih"],
      [508, 310, "start", "weight_hh"],
    ],
  },
};

function equations({ names: n, times: m, weights }) {
  const gates = Object.entries(SQUASH).map(([id, squash]) => [id, `${n[id]} = ${squash}(${weights(id)})`]);
  return {
    x: n.x,
    h0: n.h0,
    c0: n.c0,
    ...Object.fromEntries(gates),
    keep: `{f|${n.f}} ${m} {c0|${n.c0}}`,
    write: `{i|${n.i}} ${m} {g|${n.g}}`,
    c: `${n.c} = {keep|${n.f} ${m} ${n.c0}} + {write|${n.i} ${m} ${n.g}}`,
    squash: `tanh({c|${n.c}})`,
    h: `${n.h} = {o|${n.o}} ${m} {squash|tanh(${n.c})}`,
  };
}

/** A drawing: title, source, order of the gates, names, plan, and the parts with this drawing's equations. */
export const DRAWINGS = Object.fromEntries(
  Object.entries(STYLES).map(([key, style]) => {
    const written = equations(style);
    const parts = PARTS.lstm.map((part) => ({
      ...part,
      equation: written[part.id],
      where: SQUASH[part.id] ? style.where.bind(null, part.id) : () => "",
    }));
    return [key, { ...style, key, parts, plan: PLANS[key], squash: SQUASH }];
  }),
);

/** The rows (or columns) of the weights that make a gate, "128…255", where a drawing shows them. */
export function block(drawing, id, hidden) {
  const at = drawing.order.indexOf(id) * hidden;
  return `${at}…${at + hidden - 1}`;
}
