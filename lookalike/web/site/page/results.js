/** What the page shows of an answer. Mirrors lookalike/space/drawing/html.py; every name is set as text. */
import { align } from "../faces/alignment.js";
import { toCanvas } from "../images.js";
import { hasText, joined, text } from "./texts.js";

const LOW_PERCENTILE = 0.1;
const MAYBE_SAME = 40; // percent
const [FACE_SIDE, FACE_MARGIN] = [320, 0.45]; // hair and chin stay in view
const PALETTE = 10; // gradients in style.css
const WITH_WORKS = ["film & TV", "music", "science & letters"];
const SEARCH = "https://duckduckgo.com/?iax=images&ia=images&q=";

/** Return an element with attributes, or properties that are functions such as `onclick`, and children. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children.filter(Boolean));
  return made;
}

/** Return a face, cut out with its eyes level, as a canvas. */
export function faceCanvas(image, face) {
  return toCanvas(align(image, face, FACE_SIDE, FACE_MARGIN));
}

/** Return the visitor's face beside a match; `photos` are credits by row, or null. */
export function pair(image, found, match, photos) {
  const credit = photos?.[match.row]; // "" where nobody is credited
  const picture = credit === undefined
    ? element("div", { class: `card colour-${colourOf(match.name)}`, "aria-hidden": true }, initials(match.name))
    : element("img", { src: `photos/${match.row}.webp`, alt: shown(match.name) });
  const credited = credit && element("small", { class: "who" }, text("credit_photo", { credit }));
  return sideBySide(
    match.similarity,
    figure(image, found.face, text("answer_your_face"), text("answer_you")),
    element("figure", {}, picture, element("figcaption", {}, name(match), who(match), credited)),
  );
}

/** Return the matches as a list; `choose` is called with the place of one. */
export function bars(matches, chosen, choose) {
  const rows = matches.map((match, place) => {
    const attributes = { type: "button", "aria-pressed": place === chosen, onclick: () => choose(place) };
    const link = {
      href: SEARCH + encodeURIComponent(shown(match.name)),
      target: "_blank",
      rel: "noopener noreferrer",
      "aria-label": text("answer_photos_of", { name: shown(match.name) }),
    };
    return element(
      "li",
      {},
      element("button", attributes, `${match.rank}. `, name(match)),
      meter(match.similarity, match.name),
      element("a", link, text("answer_photos")),
      who(match),
    );
  });
  return element("ol", { class: "bars" }, ...rows);
}

/** Return the sentence below a face's matches. */
export function faceSentence({ hardToRead, standing }, names) {
  if (hardToRead) return text("answer_hard_to_read", { problem: text(hardToRead) });
  if (standing === null) return "";
  if (standing < LOW_PERCENTILE) return text("answer_no_close_match", { names: names.toLocaleString() });
  return text("answer_percentile", { percent: Math.min(99, Math.round(100 * standing)) });
}

/** Return two faces side by side, and how alike they are. */
export function comparison({ similarity, same, sides }) {
  const labels = [text("compare_first"), text("compare_second")];
  const faces = sides.map(({ image, face }, i) => figure(image, face, labels[i]));
  const key = same ? "compare_same" : similarity >= MAYBE_SAME ? "compare_maybe" : "compare_different";
  return element("div", {}, sideBySide(similarity, ...faces), element("p", { class: "words" }, text(key)));
}

/** Return a bar from 0 to 100. */
export function meter(percent, person) {
  const whole = Math.round(percent);
  const label = text("answer_similarity_to", { name: shown(person) });
  const bar = element("meter", { min: 0, max: 100, value: whole, "aria-label": label });
  return element("span", { class: "percent" }, bar, `${whole} %`);
}

/** Return a name as text, which keeps its own direction; "no name" for none. */
export const name = (match) => element("bdi", {}, shown(match.name));
export const shown = (person) => person || text("answer_no_name");

/** Return the letters on the card of a name: those of its first and its last word. */
export function initials(person) {
  const words = shown(person).split(/\s+/);
  const first = [words[0], words.length > 1 ? words.at(-1) : ""].map((word) => [...word][0] ?? "");
  return first.join("").toLocaleUpperCase();
}

/** Return the number of the gradient on the card of a name. */
const colourOf = (person) => [...person].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 997, 7) % PALETTE;

function figure(image, face, label, caption) {
  const canvas = faceCanvas(image, face);
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", label);
  return element("figure", {}, canvas, caption && element("figcaption", {}, caption));
}

function sideBySide(similarity, ...figures) {
  const percent = element("strong", {}, `${Math.round(similarity)} %`);
  const verdict = element("p", { class: "verdict" }, percent, ` ${text("answer_alike")}`);
  return element("div", { class: "pair" }, ...figures, verdict);
}

/** Return who somebody is, in small letters. */
function who({ about: { native, field, country, born, known_for: works } }) {
  const key = `chip_field_${(field ?? "").toLowerCase().replace(/[^a-z]+/g, "_")}`;
  const isTitle = WITH_WORKS.includes(field) && /^\p{Lu}/u.test(works ?? "");
  const parts = [
    native,
    hasText(key) ? text(key) : field,
    country,
    born && text("answer_born", { year: born }),
    isTitle ? text("answer_known_for", { works }) : works,
  ];
  return element("small", { class: "who" }, joined(parts.filter(Boolean)));
}
