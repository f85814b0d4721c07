/** The page: loads the finder, then answers photos, the camera and comparisons. */
import { LookalikeError } from "../errors.js";
import { noFaceAdvice } from "../faces/quality.js";
import { readImage, toCanvas } from "../images.js";
import { Camera } from "./camera.js";
import { forbidRequests, keepForOffline, loadFinder } from "./loading.js";
import { bars, comparison, element, faceSentence, pair } from "./results.js";
import { share } from "./share.js";
import { loadTexts, sentenceOf, text } from "./texts.js";

const $ = (id) => document.getElementById(id);
const parameters = new URLSearchParams(location.search);
let finder = null;
let camera = null;
let photos = null; // credits by row, if the visitor wants photos and the gallery has them
let latest = 0; // the number of the photo that was chosen last

async function begin() {
  document.body.classList.toggle("framed", parameters.has("framed"));
  const site = await (await fetch("site.json")).json();
  addLanguages(site.languages, await loadTexts(site.languages));
  const offline = keepForOffline();
  try {
    finder = await loadFinder(site);
  } catch (error) {
    return say(error);
  }
  await offline;
  offerPhotos(finder.gallery.photos);
  forbidRequests({ photos });
  camera = new Camera($("video"), $("live-answer"), finder);
  $("status").textContent = "";
  for (const input of document.querySelectorAll("button, input")) input.disabled = false;
  document.body.dataset.ready = "";
}

/** Answer one photo, a Blob. */
async function find(blob) {
  const number = ++latest;
  $("answer").replaceChildren();
  try {
    say(text("script_comparing"));
    const image = await readImage(blob);
    const answer = await finder.answer(image);
    if (number !== latest) return; // another photo was chosen meanwhile
    if (!answer.faces.length) throw new LookalikeError(noFaceAdvice(answer.image));
    say("");
    show(answer, 0, 0);
  } catch (error) {
    if (number === latest) say(error);
  }
}

/** Show one face of an answer beside one of its matches. */
function show(answer, place, rank) {
  const { image, faces } = answer;
  const found = faces[place];
  const match = found.matches[rank];
  const button = element("button", { type: "button", id: "share" }, text("button_share"));
  button.addEventListener("click", () => share(image, found, match, $("answer").querySelector("img")));
  $("answer").replaceChildren(
    faces.length > 1 ? chooser(answer, place) : "",
    pair(image, found, match, photos),
    element("p", { class: "words" }, rank ? "" : faceSentence(found, new Set(finder.gallery.names).size)),
    bars(found.matches, rank, (chosen) => show(answer, place, chosen)),
    button,
  );
}

/** Return the photo of several people, each face a button. */
function chooser(answer, chosen) {
  const { image, faces } = answer;
  const buttons = faces.map(({ face: { box } }, place) => {
    const attributes = { type: "button", class: "face", "aria-pressed": place === chosen };
    const button = element("button", attributes, text("chip_face", { number: place + 1 }));
    const [left, top, width, height] = box;
    Object.assign(button.style, { left: share100(left, image.width), top: share100(top, image.height) });
    Object.assign(button.style, { width: share100(width, image.width), height: share100(height, image.height) });
    button.addEventListener("click", () => show(answer, place, 0));
    return button;
  });
  const words = element("p", { class: "words" }, text("label_faces"));
  return element("div", {}, words, element("div", { class: "group" }, toCanvas(image), ...buttons));
}

const share100 = (length, whole) => `${(100 * length) / whole}%`;

async function compare() {
  const files = [$("first"), $("second")].map(({ files: [file] }) => file);
  $("compared").replaceChildren();
  if (files.includes(undefined)) return;
  try {
    say(text("script_comparing"));
    const images = [await readImage(files[0]), await readImage(files[1])];
    $("compared").replaceChildren(comparison(await finder.compare(...images)));
    say("");
  } catch (error) {
    say(error);
  }
}

async function live() {
  if (camera.stream) return stopCamera();
  $("start").textContent = text("button_stop");
  say("");
  try {
    await camera.start();
  } catch (error) {
    stopCamera();
    say(error);
  }
}

function stopCamera() {
  camera.stop();
  $("start").textContent = text("button_start");
}

/** Show a sentence, or that of an error; "" for none. */
function say(sentence) {
  const isError = sentence instanceof Error;
  if (isError && !sentence.key) console.error(sentence);
  $("status").textContent = isError ? sentenceOf(sentence) : sentence;
}

/** Photos of celebrities come from the server only if the visitor wants them: it sees which ones are asked for. */
function offerPhotos(credits) {
  if (!Object.keys(credits).length) return;
  photos = parameters.has("photos") ? credits : null;
  $("photos").checked = Boolean(photos);
  $("photos").parentElement.hidden = false;
  $("photos").addEventListener("change", () => reloadWith("photos", $("photos").checked ? "" : null));
}

function addLanguages(languages, chosen) {
  const own = (code) => new Intl.DisplayNames([code], { type: "language" }).of(code);
  const options = languages.map((code) => element("option", { value: code }, own(code)));
  $("language").append(...options);
  $("language").value = chosen;
  $("language").addEventListener("change", () => reloadWith("lang", $("language").value));
}

/** Open the page again with a parameter: after loading nothing can be requested. */
function reloadWith(parameter, value) {
  if (value === null) parameters.delete(parameter);
  else parameters.set(parameter, value);
  location.search = parameters;
}

function openTab(tab) {
  stopCamera();
  say("");
  for (const each of document.querySelectorAll("nav button")) each.setAttribute("aria-pressed", each === tab);
  for (const section of document.querySelectorAll("main > section")) section.hidden = section.id !== tab.value;
}

const firstImage = (data) => [...(data?.files ?? [])].find(({ type }) => !type || type.startsWith("image/"));

function take(event) {
  const file = firstImage(event.clipboardData ?? event.dataTransfer);
  if (!file || !finder) return;
  event.preventDefault();
  openTab(document.querySelector("nav button"));
  find(file);
}

$("photo").addEventListener("change", ({ target }) => target.files[0] && find(target.files[0]).finally(() => (target.value = "")));
for (const id of ["first", "second"]) $(id).addEventListener("change", compare);
for (const tab of document.querySelectorAll("nav button")) tab.addEventListener("click", () => openTab(tab));
$("start").addEventListener("click", live);
document.addEventListener("paste", take);
document.addEventListener("drop", take);
document.addEventListener("dragover", (event) => event.preventDefault());
begin().catch(say);
