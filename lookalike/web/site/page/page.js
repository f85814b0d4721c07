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
const all = (selector) => [...document.querySelectorAll(selector)];
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
  finder = await loadFinder(site);
  await offline;
  offerPhotos(finder.gallery.photos);
  forbidRequests({ photos });
  camera = new Camera($("video"), $("live-answer"), finder);
  say("");
  for (const input of all("button, input")) input.disabled = false;
  document.body.dataset.ready = "";
}

/** Answer one photo, a Blob. */
async function find(blob) {
  const number = ++latest;
  $("answer").replaceChildren();
  try {
    say(text("script_comparing"));
    const answer = await finder.answer(await readImage(blob));
    if (number !== latest) return; // another photo was chosen meanwhile
    if (!answer.faces.length) throw new LookalikeError(noFaceAdvice(answer.image));
    say("");
    show(answer, 0, 0);
  } catch (error) {
    if (number === latest) sayError(error);
  }
}

/** Show one face of an answer beside one of its matches. */
function show(answer, place, rank) {
  const { image, faces } = answer;
  const found = faces[place];
  const match = found.matches[rank];
  const onShare = () => share(image, found, match, $("answer").querySelector("img"));
  $("answer").replaceChildren(
    faces.length > 1 ? chooser(answer, place) : "",
    pair(image, found, match, photos),
    element("p", { class: "words" }, rank ? "" : faceSentence(found, new Set(finder.gallery.names).size)),
    bars(found.matches, rank, (chosen) => show(answer, place, chosen)),
    element("button", { type: "button", id: "share", onclick: onShare }, text("button_share")),
  );
}

/** Return the photo of several people, each face a button. */
function chooser(answer, chosen) {
  const { image, faces } = answer;
  const percent = (length, whole) => `${(100 * length) / whole}%`;
  const buttons = faces.map(({ face: { box: [left, top, width, height] } }, place) => {
    const attributes = { type: "button", class: "face", "aria-pressed": place === chosen };
    attributes.onclick = () => show(answer, place, 0);
    const button = element("button", attributes, text("chip_face", { number: place + 1 }));
    Object.assign(button.style, { left: percent(left, image.width), width: percent(width, image.width) });
    Object.assign(button.style, { top: percent(top, image.height), height: percent(height, image.height) });
    return button;
  });
  const words = element("p", { class: "words" }, text("label_faces"));
  return element("div", {}, words, element("div", { class: "group" }, toCanvas(image), ...buttons));
}

async function compare() {
  const files = [$("first"), $("second")].map((input) => input.files[0]);
  $("compared").replaceChildren();
  if (files.includes(undefined)) return;
  try {
    say(text("script_comparing"));
    const answer = await finder.compare(await readImage(files[0]), await readImage(files[1]));
    $("compared").replaceChildren(comparison(answer));
    say("");
  } catch (error) {
    sayError(error);
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
    sayError(error);
  }
}

function stopCamera() {
  camera.stop();
  $("start").textContent = text("button_start");
}

function say(sentence) {
  $("status").textContent = sentence;
}

function sayError(error) {
  if (!error.key) console.error(error);
  say(sentenceOf(error));
}

/** Photos of celebrities come from the server only if the visitor wants them: it sees which ones are asked for. */
function offerPhotos(credits) {
  if (!Object.keys(credits).length) return;
  photos = parameters.has("photos") ? credits : null;
  $("photos").checked = Boolean(photos);
  $("photos").parentElement.hidden = false;
  $("photos").onchange = () => reloadWith("photos", $("photos").checked ? "" : null);
}

function addLanguages(languages, chosen) {
  const own = (code) => new Intl.DisplayNames([code], { type: "language" }).of(code);
  $("language").append(...languages.map((code) => new Option(own(code), code, false, code === chosen)));
  $("language").onchange = () => reloadWith("lang", $("language").value);
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
  for (const each of all("nav button")) each.setAttribute("aria-pressed", each === tab);
  for (const section of all("main > section")) section.hidden = section.id !== tab.value;
}

/** Answer a photo that was pasted or dropped. */
function take(event) {
  const { files = [] } = event.clipboardData ?? event.dataTransfer ?? {};
  const photo = [...files].find(({ type }) => !type || type.startsWith("image/"));
  if (!photo || !camera) return;
  event.preventDefault();
  openTab(document.querySelector("nav button"));
  find(photo);
}

/** Answer the photo that was chosen; the same one can be chosen again. */
function choose({ target }) {
  const [photo] = target.files;
  target.value = "";
  if (photo) find(photo);
}

$("photo").onchange = choose;
$("first").onchange = $("second").onchange = compare;
for (const tab of all("nav button")) tab.onclick = () => openTab(tab);
$("start").onclick = live;
document.onpaste = document.ondrop = take;
document.ondragover = (event) => event.preventDefault();
begin().catch(sayError);
