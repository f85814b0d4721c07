// Photos are made small before they travel, and the page shows them while it waits for the answer.
// Of gradio this needs only its HTTP API: POST …/upload with a form of files.
(() => {
  const LONGEST = 1280;  // pixels, as the server keeps
  const SMALL = 300_000;  // bytes; a smaller file travels as fast as it could be made smaller
  const QUALITY = 0.92;  // of the JPEG: percentages change as much as if the photo were saved again
  const root = document.documentElement;

  // Browsers that guard against fingerprinting give a page made-up pixels.
  const readsPixels = () => {
    const pen = new OffscreenCanvas(2, 2).getContext('2d');
    pen.fillStyle = '#123456';
    pen.fillRect(0, 0, 2, 2);
    return [...pen.getImageData(0, 0, 2, 2).data].join().startsWith('18,52,86,255,18,52,86,255');
  };

  // Returns the photo as a JPEG, upright; the file itself if it is small or the browser cannot read it.
  const smaller = async file => {
    try {
      if (file.size <= SMALL || !readsPixels()) return file;
      const picture = await createImageBitmap(file, {imageOrientation: 'from-image'});
      const scale = LONGEST / Math.max(picture.width, picture.height);
      if (scale >= 1) return file;
      const sheet = new OffscreenCanvas(Math.round(picture.width * scale), Math.round(picture.height * scale));
      const pen = sheet.getContext('2d', {alpha: false});
      pen.fillStyle = '#fff';  // behind transparent pixels, as on the server
      pen.fillRect(0, 0, sheet.width, sheet.height);
      pen.imageSmoothingQuality = 'high';
      pen.drawImage(picture, 0, 0, sheet.width, sheet.height);
      picture.close();
      const made = await sheet.convertToBlob({type: 'image/jpeg', quality: QUALITY});
      return new File([made], `${file.name.replace(/\.\w+$/, '')}.jpg`, {type: 'image/jpeg'});
    } catch {
      return file;  // HEIC, for example
    }
  };

  let shown = null;
  const say = (words, done) => {
    document.querySelector('#waiting p').textContent = words;
    const progress = document.querySelector('#waiting progress');
    progress.setAttribute('aria-label', words);
    done === undefined ? progress.removeAttribute('value') : progress.value = done;
  };
  const startWaiting = () => {
    if (!document.querySelector('#photo')?.offsetParent) return false;  // another tab's photo
    endWaiting();
    root.classList.add('waiting');
    say(pageTexts.script_sending, 0);
    document.querySelector('#photo').scrollIntoView({block: 'nearest'});
    return true;
  };
  const show = photo => {  // the small one: a second decoding of the large one would hold up the first
    shown = URL.createObjectURL(photo);
    root.style.setProperty('--chosen', `url("${shown}")`);
  };
  const endWaiting = window.endWaiting = () => {
    root.classList.remove('waiting');
    root.style.removeProperty('--chosen');
    if (shown) URL.revokeObjectURL(shown);
    shown = null;
  };

  // As fetch does, but it reports the progress.
  const post = (address, {headers, body}, report) => new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.open('POST', address);
    new Headers(headers).forEach((value, name) => request.setRequestHeader(name, value));
    request.upload.onprogress = ({loaded, total}) => report(loaded / total);
    request.onload = () => done(new Response(request.responseText, {status: request.status}));
    request.onerror = () => failed(new TypeError('Failed to fetch'));
    request.send(body);
  });

  const upload = async (address, options) => {
    const [name, file] = [...options.body][0];
    const waits = startWaiting();
    const photo = await smaller(file);
    if (waits) show(photo);
    const body = new FormData();
    body.append(name, photo);
    try {
      const response = await post(address, {...options, body}, share => waits && say(pageTexts.script_sending, share));
      if (response.ok) waits && say(pageTexts.script_comparing);
      else endWaiting();
      return response;
    } catch (error) {
      endWaiting();
      throw error;
    }
  };

  const send = window.fetch;
  window.fetch = (address, options) => {
    const photo = /\/gradio_api\/upload(\?|$)/.test(address) && options?.body instanceof FormData;
    return photo ? upload(address, options) : send(address, options);
  };
})();
