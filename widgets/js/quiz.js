/** A quiz: one group of radio buttons a question, an explanation for each answer, a score, another try. */
import { KEYS, button, element, write } from "./dom.js";
import { createStore } from "./store.js";
import { followTheme } from "./theme.js";

const KEPT = ["chosen", "tried", "theme"];
let quizzes = 0;

/** Draw the quiz into a node; returns what cleans it up. */
function render({ model, el }) {
  const root = element("section", { class: "un un-quiz", "data-lm-suppress-shortcuts": "true", "aria-label": model.get("title") });
  el.append(root);
  const store = createStore(model, KEPT);
  const theme = followTheme(root, store.state.theme, () => {});
  const questions = model.get("_questions");
  const number = (quizzes += 1);
  const parts = [createScore(model, store, questions), ...questions.map((question, k) => createQuestion(store, question, k, `un-quiz-${number}-${k}`))];
  root.append(...parts.map((part) => part.element));
  store.listen((changed) => {
    if (changed.has("theme")) theme.choose(store.state.theme);
    for (const part of parts) part.update();
  });
  store.touch("start");
  return () => {
    theme.stop();
    store.stop();
    root.remove();
  };
}

/** Text in which `backticks` mark code. */
function withCode(text) {
  return text.split("`").map((piece, k) => (k % 2 ? element("code", { text: piece }) : document.createTextNode(piece)));
}

/** A list with one place changed: traits are replaced, never changed in place. */
const withPlace = (list, k, value) => list.map((old, place) => (place === k ? value : old));

const isRight = (question, option) => Boolean(question.options[option]?.right);

/** Title, how many are right, and the button that wipes all answers. */
function createScore(model, store, questions) {
  const sentence = element("p", { class: "un-sentence", role: "status" });
  const again = button("start again", "start again: clear all answers", () => store.set({ chosen: questions.map(() => -1), tried: questions.map(() => []) }));
  const message = element("p", { class: "un-message", role: "status", text: model.get("message") });
  const head = element("div", { class: "un-row un-quiz-head" }, sentence, ...(questions.length ? [again] : []));
  return {
    element: element("div", {}, element("p", { class: "un-title", text: model.get("title") }), head, ...(model.get("message") ? [message] : [])),
    update() {
      const { tried } = store.state;
      const right = questions.filter((question, k) => tried[k].some((option) => isRight(question, option))).length;
      const first = questions.filter((question, k) => isRight(question, tried[k][0])).length;
      const begun = tried.some((options) => options.length);
      const count = `${questions.length} questions. Choose an answer, then check it.`;
      write(sentence, begun ? `${right} of ${questions.length} right, ${first} of them at the first try.` : questions.length ? count : "");
      again.disabled = !begun && store.state.chosen.every((option) => option < 0);
    },
  };
}

/** One question: its options, the button that checks the chosen one, and what there is to say about it. */
function createQuestion(store, question, k, name) {
  const options = question.options.map((option, at) => createOption(option, name, {
    choose: () => store.set({ chosen: withPlace(store.state.chosen, k, at) }),
    check,
  }));
  const checkButton = button("check", `check the answer to question ${k + 1}`, check);
  const verdict = element("strong"), why = element("span");
  const answer = element("p", { class: "un-quiz-why", role: "status" }, verdict, why);
  const others = element("ul");
  const rest = element("details", { hidden: true }, element("summary", { text: "and the other answers?", ...KEYS }), others);
  others.append(...question.options.filter((option) => !option.right).map((option) =>
    element("li", {}, element("em", {}, ...withCode(option.text)), " ", ...withCode(option.why))));
  let shown = null;

  function check() {
    const { chosen, tried } = store.state;
    if (chosen[k] < 0) write(verdict, "Choose an answer first.");
    else if (tried[k].at(-1) !== chosen[k]) store.set({ tried: withPlace(tried, k, [...tried[k], chosen[k]]) });
  }

  return {
    element: element("fieldset", { class: "un-question" },
      element("legend", {}, element("span", { class: "un-soft", text: `${k + 1}. ` }), ...withCode(question.text)),
      ...options.map((option) => option.element), element("div", { class: "un-quiz-answer" }, checkButton, answer), rest),
    update() {
      const chosen = store.state.chosen[k], tried = store.state.tried[k];
      options.forEach((option, at) => option.update(chosen === at, tried.includes(at), question.options[at].right));
      const now = chosen >= 0 && tried.at(-1) === chosen ? chosen : -1;
      rest.hidden = !tried.some((option) => isRight(question, option));
      if (shown === `${chosen} ${now}`) return;
      shown = `${chosen} ${now}`;
      write(verdict, now < 0 ? "" : isRight(question, now) ? "Right. " : "Not this one. ");
      why.replaceChildren(...(now < 0 ? [] : withCode(question.options[now].why)));
      answer.classList.toggle("right", isRight(question, now));
    },
  };
}

/** A radio button with its words and, once it has been checked, its mark. */
function createOption({ text }, name, { choose, check }) {
  const radio = element("input", { type: "radio", name, ...KEYS, on: { change: choose } });
  radio.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    check();
  });
  const mark = element("span", { class: "un-quiz-mark" });
  return {
    element: element("label", { class: "un-option" }, radio, element("span", {}, ...withCode(text), mark)),
    update(chosen, tried, right) {
      radio.checked = chosen;
      write(mark, tried ? (right ? " ✓ right" : " ✗ tried") : "");
      mark.classList.toggle("right", tried && right);
    },
  };
}

export default { render };
