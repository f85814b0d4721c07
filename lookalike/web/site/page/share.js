/** The picture to share: the face beside the match and the percentage, drawn here. */
import { faceCanvas, initials, shown } from "./results.js";
import { text } from "./texts.js";

const [WHOLE, SIDE, EDGE, TOP] = [1080, 480, 40, 160]; // pixels of the picture, of a face, around and above them
const COLOURS = { paper: "#f8f7f4", ink: "#1f2328", accent: "#0f766e", card: "#164e63", white: "#ffffff" };

/** Offer the picture of a match to the device's share sheet, or download it. `photo` is an image or null. */
export async function share(image, found, match, photo) {
  const canvas = draw(faceCanvas(image, found.face), match, photo);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.9));
  const file = new File([blob], "my-look-alike.jpg", { type: blob.type });
  if (navigator.canShare?.({ files: [file] })) return navigator.share({ files: [file] }).catch(() => {});
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: file.name });
  link.click();
  URL.revokeObjectURL(link.href);
}

function draw(own, match, photo) {
  const canvas = Object.assign(document.createElement("canvas"), { width: WHOLE, height: WHOLE });
  const pen = canvas.getContext("2d");
  const [middle, right, width] = [WHOLE / 2, WHOLE - EDGE - SIDE, WHOLE - 2 * EDGE];
  pen.fillStyle = COLOURS.paper;
  pen.fillRect(0, 0, WHOLE, WHOLE);
  pen.fillStyle = COLOURS.card;
  pen.fillRect(right, TOP, SIDE, SIDE);
  pen.drawImage(own, EDGE, TOP, SIDE, SIDE);
  if (photo?.naturalWidth) pen.drawImage(photo, right, TOP, SIDE, SIDE); // 0 if the photo could not be loaded
  else write(pen, initials(match.name), right + SIDE / 2, 460, 170, COLOURS.white, SIDE);
  write(pen, text("title"), middle, 100, 52, COLOURS.ink, width);
  write(pen, `${Math.round(match.similarity)} %`, middle, 800, 130, COLOURS.accent, width);
  write(pen, shown(match.name), middle, 890, 60, COLOURS.ink, width);
  write(pen, location.host + location.pathname, middle, 1020, 32, COLOURS.ink, width);
  return canvas;
}

/** Write words around `x`, on the line `y`, in letters of `size` pixels, narrower if they are too wide. */
function write(pen, words, x, y, size, colour, width) {
  Object.assign(pen, { font: `700 ${size}px system-ui, sans-serif`, textAlign: "center", fillStyle: colour });
  pen.fillText(words, x, y, width);
}
