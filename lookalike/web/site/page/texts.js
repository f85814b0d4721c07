/** The words of the page: one file a language, those of the page that a server runs. Mirrors lookalike/space/texts. */
const RIGHT_TO_LEFT = ["ar"];

let table = { error_failed: "Something went wrong. Reload the page and try again." }; // until one is loaded

/** Load the texts of `?lang=`, else of the first of the browser's languages that there is, else English. */
export async function loadTexts(languages) {
  const wanted = [new URLSearchParams(location.search).get("lang") ?? "", ...navigator.languages];
  const codes = wanted.map((each) => each.split("-")[0].toLowerCase());
  const language = codes.find((code) => languages.includes(code)) ?? "en";
  table = await (await fetch(`texts/${language}.json`)).json();
  document.documentElement.lang = language;
  document.documentElement.dir = RIGHT_TO_LEFT.includes(language) ? "rtl" : "ltr";
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = text(element.dataset.text);
  return language;
}

/** Return a text with `values` in place of its {placeholders}; the key itself where there is none. */
export function text(key, values = {}) {
  return (table[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** Return whether there is a text with this key. */
export const hasText = (key) => Object.hasOwn(table, key);

/** Return parts of a line that keep their order in a language that is written from right to left. */
export const joined = (parts) => parts.map((part) => `\u2068${part}\u2069`).join(" · ");

/** Return the sentence of an error: a LookalikeError's own, for any other that something went wrong. */
export function sentenceOf(error) {
  if (!error.key) return text("error_failed");
  const values = Object.entries(error.values).map(([name, value]) => [name, value?.key ? sentenceOf(value) : value]);
  return text(error.key, Object.fromEntries(values));
}
