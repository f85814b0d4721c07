/** The picture to share: the face beside the match and the percentage, drawn here. */
import { faceCanvas, initials, shown } from "./results.js";
import { text } from "./texts.js";

const [WIDTH, HEIGHT, SIDE, EDGE] = [1080, 1080, 480, 40]; // pixels
const COLOURS = { paper: "#f8f7f4", ink: "#1f2328", accent: "#0f766e", card: "#164e63", white: "#ffffff" };

/** Offer the picture of a match to the device's share sheet, or download it. `photo` is an image or null. */
export async function share(image, found, match, photo) {
  const canvas = draw(faceCanvas(image, found.face, ""), match, photo);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.9));
  const file = new File([blob], "my-look-alike.jpg", { type: blob.type });
  if (navigator.canShare?.({ files: [file] })) return navigator.share({ files: [file] }).catch(() => {});
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = file.name;
  link.click();
  URL.revokeObjectURL(link.href);
}

function draw(own, match, photo) {
  const canvas = Object.assign(document.createElement("canvas"), { width: WIDTH, height: HEIGHT });
  const pen = canvas.getContext("2d");
  const fill = (colour, ...box) => ((pen.fillStyle = colour), pen.fillRect(...box));
  const right = WIDTH - EDGE - SIDE;
  fill(COLOURS.paper, 0, 0, WIDTH, HEIGHT);
  pen.drawImage(own, EDGE, 160, SIDE, SIDE);
  if (photo) {
    pen.drawImage(photo, right, 160, SIDE, SIDE);
  } else {
    fill(COLOURS.card, right, 160, SIDE, SIDE);
    write(pen, initials(match.name), right + SIDE / 2, 460, 170, COLOURS.white, SIDE);
  }
  write(pen, text("title"), WIDTH / 2, 100, 52, COLOURS.ink, WIDTH - 2 * EDGE);
  write(pen, `${Math.round(match.similarity)} %`, WIDTH / 2, 800, 130, COLOURS.accent, WIDTH - 2 * EDGE);
  write(pen, shown(match.name), WIDTH / 2, 890, 60, COLOURS.ink, WIDTH - 2 * EDGE);
  write(pen, location.host + location.pathname, WIDTH / 2, 1020, 32, COLOURS.ink, WIDTH - 2 * EDGE);
  return canvas;
}

function write(pen, words, x, y, size, colour, width) {
  pen.font = `700 ${size}px system-ui, sans-serif`;
  pen.textAlign = "center";
  pen.fillStyle = colour;
  pen.fillText(words, x, y, width);
}
