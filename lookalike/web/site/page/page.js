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
const latest = {}; // by place: the answer that was asked for last

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

/** Fill a place with the elements that `work` makes, unless other photos were chosen for it meanwhile. */
async function answerIn(place, work) {
  const own = (latest[place] = {});
  $(place).replaceChildren();
  say(text("script_comparing"));
  try {
    const elements = await work();
    if (latest[place] !== own) return;
    $(place).replaceChildren(...elements);
    say("");
  } catch (error) {
    if (latest[place] === own) sayError(error);
  }
}

/** Answer one photo, a Blob. */
function find(photo) {
  return answerIn("answer", async () => {
    const { image, faces } = await finder.answer(await readImage(photo));
    if (!faces.length) throw new LookalikeError(noFaceAdvice(image));
    return matchesOf({ image, faces, picture: faces.length > 1 && toCanvas(image) }, 0, 0);
  });
}

/** Answer two photos as soon as both are chosen. */
function compare() {
  const [first, second] = [$("first"), $("second")].map((input) => input.files[0]);
  return answerIn("compared", async () => {
    return first && second ? [comparison(await finder.compare(await readImage(first), await readImage(second)))] : [];
  });
}

/** Return the elements that show one face of an answer beside one of its matches. */
function matchesOf(answer, place, rank) {
  const { image, faces } = answer;
  const found = faces[place];
  const match = found.matches[rank];
  const onShare = () => share(image, found, match, $("answer").querySelector("img"));
  return [
    answer.picture && chooser(answer, place),
    pair(image, found, match, photos),
    element("p", { class: "words" }, rank ? "" : faceSentence(found, new Set(finder.gallery.names).size)),
    bars(found.matches, rank, (chosen) => showOther(answer, place, chosen, ".bars button")),
    element("button", { type: "button", id: "share", onclick: onShare }, text("button_share")),
  ].filter(Boolean);
}

/** Show another face or match; its button, which is made anew, keeps the focus. */
function showOther(answer, place, rank, button) {
  $("answer").replaceChildren(...matchesOf(answer, place, rank));
  $("answer").querySelector(`${button}[aria-pressed=true]`).focus();
}

/** Return the photo of several people, each face a button. */
function chooser(answer, chosen) {
  const { image, faces, picture } = answer;
  const sides = { left: image.width, top: image.height, width: image.width, height: image.height };
  const buttons = faces.map(({ face: { box } }, place) => {
    const attributes = { type: "button", class: "face", "aria-pressed": place === chosen };
    attributes.onclick = () => showOther(answer, place, 0, ".face");
    const button = element("button", attributes, text("chip_face", { number: place + 1 }));
    Object.entries(sides).forEach(([name, whole], i) => (button.style[name] = `${(100 * box[i]) / whole}%`));
    return button;
  });
  const words = element("p", { class: "words" }, text("label_faces"));
  return element("div", {}, words, element("div", { class: "group" }, picture, ...buttons));
}

async function live() {
  if (camera.run) return stopCamera();
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

/** Answer a photo that was pasted or dropped: in Compare where it was dropped on one of its boxes. */
function take(event) {
  const carried = event.clipboardData ?? event.dataTransfer;
  const files = [...carried.files];
  if (files.length || event.type === "drop") event.preventDefault(); // the browser would leave the page for the file
  const photo = files.find(({ type }) => type.startsWith("image/")) ?? files[0];
  if (!photo || !camera) return;
  const box = event.target.closest(".two label")?.control;
  if (box) {
    box.files = carried.files;
    return compare();
  }
  openTab(document.querySelector("nav button"));
  find(photo);
}

$("photo").onclick = () => ($("photo").value = ""); // so that the same photo can be chosen again
$("photo").onchange = () => $("photo").files.length && find($("photo").files[0]);
$("first").onchange = $("second").onchange = compare;
for (const tab of all("nav button")) tab.onclick = () => openTab(tab);
$("start").onclick = live;
document.onpaste = document.ondrop = take;
document.ondragover = (event) => event.preventDefault();
begin().catch(sayError);
