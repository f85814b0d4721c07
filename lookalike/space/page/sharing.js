// Passing on the picture to share: the phone's own sheet, the clipboard, or a download.
(() => {
  const root = document.documentElement;
  const probe = new File([new Uint8Array(1)], 'probe.jpg', {type: 'image/jpeg'});
  root.classList.toggle('can-share', Boolean(navigator.canShare?.({files: [probe]})));
  root.classList.toggle('can-copy', Boolean(navigator.clipboard?.write && window.ClipboardItem));

  // Without waiting for anything: the sheet opens only right after the tap.
  const fileOf = picture => {
    const letters = atob(picture.src.split(',')[1]);
    const bytes = Uint8Array.from(letters, letter => letter.charCodeAt(0));
    return new File([bytes], 'my-look-alike.jpg', {type: 'image/jpeg'});
  };

  const asPng = async file => {  // the only kind of picture that clipboards take
    const picture = await createImageBitmap(file);
    const sheet = new OffscreenCanvas(picture.width, picture.height);
    sheet.getContext('2d').drawImage(picture, 0, 0);
    return sheet.convertToBlob({type: 'image/png'});
  };

  const send = (file, panel) => navigator.share({files: [file], text: panel.dataset.message})
    .catch(error => { if (error.name !== 'AbortError') save(file); });  // AbortError: closed by the visitor

  const copy = (file, panel) => navigator.clipboard.write([new ClipboardItem({'image/png': asPng(file)})])
    .then(() => pageTexts.script_copied, () => pageTexts.script_not_copied)
    .then(words => { panel.querySelector('[role=status]').textContent = words; });

  const save = file => {
    const link = Object.assign(document.createElement('a'), {href: URL.createObjectURL(file), download: file.name});
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);  // some browsers read it later
  };

  const ways = {send, copy, save};
  document.addEventListener('click', ({target}) => {
    const panel = target.closest('.share'), way = ways[target.closest('.share-ways button')?.id];
    if (!panel || !way) return;
    const format = panel.querySelector('input:checked').value;
    way(fileOf(panel.querySelector(`img.${format}`)), panel);
  });
})();
